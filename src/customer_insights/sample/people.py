"""Who comes to the shop, and the habits that shape what they do there.

Habits show in a session's columns (pages seen, device, channel, category); they never enter the
purchase probability on their own, so nothing about it is hidden from a model.
"""

from dataclasses import dataclass

import numpy as np

from customer_insights.sample.columns import Bools, Floats, Ints, choice
from customer_insights.sample.config import ShopConfig, Step
from customer_insights.sample.products import CATEGORIES

# A block is what is in memory at once. Its size is part of the seed's meaning: changing it
# changes every shop.
BLOCK_PEOPLE = 4_000

# At scale 1.0: customers from before the period, and people who come for the first time in a year.
KNOWN_CUSTOMERS = 500
NEWCOMERS_PER_YEAR = 2_800

STAYING_SHARE = 0.12
FAMILIAR_SHARE = 0.55
JOINING_SHARE = 0.07

# Before a first order: visits a day at the start, and the days in which they fade to a third.
VISITS_PER_DAY = 7.8 / 365
BROWSING_VISITS_PER_DAY = 0.35 / 10
KNOWN_FADING_DAYS = 420.0
STAYING_FADING_DAYS = 240.0
BROWSING_FADING_DAYS = 10.0

BROWSING_ENGAGEMENT = -0.8

# Of the orders of customers from before the period; the others do not know the number.
PHONE_SHARE = 0.1

# Shape of the shares of a customer's orders that have a discount: most have few, some nearly all.
BARGAIN = (0.22, 0.8)

# Traffic types 1 to 13, about as frequent as in the UCI Online Shoppers data.
CHANNEL_WEIGHTS = (20, 32, 17, 9, 2, 4, 1, 3, 0, 4, 2, 0, 6)

GENDERS = ("female", "male", "other")
LOCATIONS = (
    "London", "Dublin", "Paris", "Madrid", "Lisbon", "Berlin", "Vienna", "Milan", "Amsterdam",
)  # fmt: skip
PLANS = ("basic", "plus", "premium")

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class People:
    """One block of people; each array has one value a person.

    `arrival` is a share of the period's traffic. Until a first order, visits start from
    `visits_per_day` at the arrival and fade within `fading_days`, both in days of mean traffic.
    `joins_at_visit` is the visit (0 is the first) in which a visitor signs up without buying,
    `NEVER` if there is none. `bargain` is the probability that an order of theirs has a discount,
    `phone_share` that it comes by phone.
    """

    number: Ints
    is_known: Bools
    is_familiar: Bools
    arrival: Floats
    visits_per_day: Floats
    fading_days: Floats
    phone_share: Floats
    joins_at_visit: Ints
    days_signed_up_before: Ints
    engagement: Floats
    mood: Floats
    favourite: Ints
    price_taste: Floats
    basket: Floats
    bargain: Floats
    operating_system: Ints
    browser: Ints
    region: Ints
    channel: Ints
    gender: Ints
    age: Ints
    plan: Ints
    tells: Bools

    def __len__(self) -> int:
        """Count the people."""
        return len(self.number)


def block_sizes(config: ShopConfig) -> list[int]:
    """Count the people of each block: all full, except perhaps the last."""
    known, new = _expected_people(config)
    people = max(1, round(known + new))
    return [min(BLOCK_PEOPLE, people - first) for first in range(0, people, BLOCK_PEOPLE)]


def make_people(config: ShopConfig, block: int, size: int) -> People:
    """Make the people of one block: customers from before the period, and newcomers."""
    random = config.random(Step.PEOPLE, block)
    known, new = _expected_people(config)
    is_known = random.random(size) < known / (known + new)
    is_staying = is_known | (random.random(size) < STAYING_SHARE)

    arrival = np.where(is_known, 0.0, random.random(size))
    habit = VISITS_PER_DAY * random.gamma(2.0, 0.5, size)
    fading = np.where(is_known, KNOWN_FADING_DAYS, STAYING_FADING_DAYS)

    engagement = random.normal(0.0, 0.5, size) + np.where(is_staying, 0.3, BROWSING_ENGAGEMENT)
    mobile = random.random(size) < 0.45
    device = choice(random, (21, 55, 20, 4), size)
    return People(
        number=block * BLOCK_PEOPLE + np.arange(size),
        is_known=is_known,
        is_familiar=is_known | (~is_staying & (random.random(size) < FAMILIAR_SHARE)),
        arrival=arrival,
        visits_per_day=np.where(is_staying, habit, BROWSING_VISITS_PER_DAY),
        fading_days=np.where(is_staying, fading, BROWSING_FADING_DAYS),
        phone_share=np.where(is_known, PHONE_SHARE, 0.0),
        joins_at_visit=np.where(
            random.random(size) < np.where(is_staying, 0.6, JOINING_SHARE),
            random.integers(0, 2, size),
            NEVER,
        ),
        days_signed_up_before=1 + random.exponential(400.0, size).astype(np.int64),
        engagement=engagement,
        mood=random.normal(0.0, 0.4, size),
        favourite=random.integers(len(CATEGORIES), size=size),
        price_taste=random.random(size),
        basket=random.gamma(2.0, 0.45, size),
        bargain=random.beta(BARGAIN[0], BARGAIN[1], size),
        operating_system=np.where(mobile, 3, device + 1),
        browser=1 + choice(random, (20, 62, 3, 7, 5, 1, 1, 1), size),
        region=1 + choice(random, (39, 9, 19, 10, 3, 7, 6, 3, 4), size),
        channel=1 + choice(random, CHANNEL_WEIGHTS, size),
        gender=choice(random, (50, 46, 4), size),
        age=np.clip(random.normal(41, 14, size), 18, 85).astype(np.int64),
        plan=choice(random, (60, 28, 12), size),
        tells=random.random((4, size)) < np.array([[0.93], [0.92], [0.96], [0.9]]),
    )


def _expected_people(config: ShopConfig) -> tuple[float, float]:
    """Expect so many customers from before the period, and newcomers during it."""
    return KNOWN_CUSTOMERS * config.scale, NEWCOMERS_PER_YEAR * config.years * config.scale
