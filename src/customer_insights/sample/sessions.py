"""Visits to the shop: when they start, what is looked at, and what the session row shows."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer_insights.sample.calendar import Calendar
from customer_insights.sample.columns import Bools, Floats, Ints, choice, ids, ranks_within
from customer_insights.sample.config import DAY, HOUR, ShopConfig, Step
from customer_insights.sample.people import BLOCK_PEOPLE, CHANNEL_WEIGHTS, People
from customer_insights.sample.products import CATEGORIES, Products

MAX_VISITS = 60

# No session of a visitor starts before the previous one is over, so what a session "already" had
# behind it is never in doubt.
MAX_SESSION_SECONDS = 6 * HOUR
MAX_PRODUCT_SECONDS = 4 * HOUR
MAX_SIDE_SECONDS = HOUR - 1
MIN_SECONDS = 5

# Durations are counted in tenths of a second.
TENTHS = 10

# Room for the ids of one block.
IDS_PER_BLOCK = BLOCK_PEOPLE * MAX_VISITS

VISITOR_TYPES = ("Returning_Visitor", "New_Visitor", "Other")
RETURNING, NEW, OTHER = range(3)
OTHER_SHARE = 0.01

LAYOUTS = ("grid", "list", "gallery")

# The highest exit rate that the source data knows, seen where a visit has a single page.
MAX_EXIT_RATE = 0.2


@dataclass(frozen=True)
class Sessions:
    """Sessions of one block in order of person, then time; each array has one value a session.

    `number` counts sessions of the block in order of time. Seconds count from the start of the
    period; durations are tenths of a second. A load time or product of -1 was not recorded.
    """

    number: Ints
    person: Ints
    visit: Ints
    seconds: Ints
    previous_seconds: Ints
    administrative: Ints
    administrative_tenths: Ints
    informational: Ints
    informational_tenths: Ints
    product_related: Ints
    product_tenths: Ints
    bounce_rates: Floats
    exit_rates: Floats
    special_day: Floats
    month: Ints
    operating_system: Ints
    browser: Ints
    region: Ints
    traffic_type: Ints
    visitor_type: Ints
    is_weekend: Bools
    page_load_ms: Ints
    product: Ints
    layout: Ints
    rating_cents: Ints

    def __len__(self) -> int:
        """Count the sessions."""
        return len(self.number)

    @property
    def total_tenths(self) -> Ints:
        """Length of each session in tenths of a second."""
        return self.administrative_tenths + self.informational_tenths + self.product_tenths


def make_sessions(
    config: ShopConfig, calendar: Calendar, people: People, products: Products, block: int
) -> Sessions:
    """All sessions of the people of one block."""
    random = config.random(Step.SESSIONS, block)
    person, seconds = _visits(random, calendar, people)
    size = len(person)
    visit = ranks_within(person)
    number = np.empty(size, np.int64)
    number[np.argsort(seconds, kind="stable")] = np.arange(size)
    day = seconds // DAY

    interest = people.engagement[person] + random.normal(0.0, 0.9, size)
    pages = np.clip(random.poisson(np.exp(2.7 + 0.85 * interest)), 1, 400)
    pace = random.lognormal(3.55, 0.45, size)
    product_seconds = np.where(pages > 1, pages * pace, pace / 4)
    side_interest = np.exp(0.5 * interest) * (pages > 1)
    administrative = np.where(
        random.random(size) < 0.6, np.minimum(random.poisson(3.2 * side_interest), 27), 0
    )
    informational = np.where(
        random.random(size) < 0.3, np.minimum(random.poisson(1.3 * side_interest), 24), 0
    )
    exit_rates: Floats = np.minimum(
        0.008 + 0.22 / (0.5 + pages**0.75) * random.lognormal(0.0, 0.5, size), MAX_EXIT_RATE
    )
    bounces = random.random(size) < 0.55
    bounce_rates = exit_rates * np.where(pages == 1, 1.0, bounces * random.beta(1.2, 2.5, size))

    product, rating_cents = _viewed_products(random, people, products, person)
    return Sessions(
        number=number,
        person=person,
        visit=visit,
        seconds=seconds,
        previous_seconds=np.where(visit > 0, np.r_[0, seconds[:-1]], -1),
        administrative=administrative,
        administrative_tenths=_side_tenths(random, administrative, 34.0),
        informational=informational,
        informational_tenths=_side_tenths(random, informational, 60.0),
        product_related=pages,
        product_tenths=_tenths(np.clip(product_seconds, MIN_SECONDS, MAX_PRODUCT_SECONDS)),
        bounce_rates=np.round(bounce_rates, 4),
        exit_rates=exit_rates.round(4),
        special_day=calendar.special_day[day],
        month=calendar.month[day],
        operating_system=people.operating_system[person],
        browser=people.browser[person],
        region=people.region[person],
        traffic_type=_traffic_types(random, people.channel[person]),
        visitor_type=_visitor_types(random, people.is_familiar[person] | (visit > 0)),
        is_weekend=calendar.is_weekend[day],
        page_load_ms=_page_loads(random, people.operating_system[person]),
        product=product,
        layout=choice(random, (50, 30, 20), size),
        rating_cents=rating_cents,
    )


def session_ids(
    block: int, sessions: Sessions, rows: Ints, present: Bools | None = None
) -> pa.Array:
    """Ids of the sessions at `rows` (-1 for none); null where `present` is false."""
    return ids("s", block * IDS_PER_BLOCK + np.append(sessions.number, 0)[rows], present)


def _visits(random: np.random.Generator, calendar: Calendar, people: People) -> tuple[Ints, Ints]:
    """Person and start of each visit, in order of person, then time.

    Newcomers have a first visit when they arrive. Of visits that would overlap, the later is
    left out.
    """
    first = np.where(people.is_known, 0, 1)
    count = np.minimum(first + random.poisson(people.later_visits), MAX_VISITS)
    person = np.repeat(np.arange(len(people)), count)
    is_arrival = (ranks_within(person) == 0) & ~people.is_known[person]
    start, end = people.active_from[person], people.active_to[person]
    position = start + (end - start) * np.where(is_arrival, 0.0, random.random(len(person)))
    seconds = calendar.seconds_at(position)
    order = np.lexsort((seconds, person))
    person, seconds = person[order], seconds[order]
    follows = np.r_[False, person[1:] == person[:-1]][: len(person)]
    gap = np.diff(seconds, prepend=0)
    keeps = ~follows | (gap >= MAX_SESSION_SECONDS)
    return person[keeps], seconds[keeps]


def _tenths(seconds: Floats) -> Ints:
    return np.round(seconds * TENTHS).astype(np.int64)


def _side_tenths(random: np.random.Generator, pages: Ints, typical_seconds: float) -> Ints:
    """Durations of pages that sell nothing."""
    seconds = pages * typical_seconds * random.lognormal(0.0, 0.6, len(pages))
    return _tenths(np.minimum(seconds, MAX_SIDE_SECONDS))


def _traffic_types(random: np.random.Generator, channel: Ints) -> Ints:
    """Draw the person's usual channel in most sessions, any in the rest."""
    other = 1 + choice(random, CHANNEL_WEIGHTS, len(channel))
    return np.where(random.random(len(channel)) < 0.7, channel, other)


def _visitor_types(random: np.random.Generator, has_been_here: Bools) -> Ints:
    """Say new or returning as the visitor is; a few are unknown because a browser hides it."""
    known = np.where(has_been_here, RETURNING, NEW)
    return np.where(random.random(len(known)) < OTHER_SHARE, OTHER, known)


def _page_loads(random: np.random.Generator, operating_system: Ints) -> Ints:
    """Milliseconds; slower on phones (operating system 3), sometimes not recorded."""
    typical = np.where(operating_system == 3, 1900.0, 1400.0)
    load = np.round(typical * random.lognormal(0.0, 0.45, len(typical))).astype(np.int64)
    return np.where(random.random(len(load)) < 0.02, -1, np.minimum(load, 15_000))


def _viewed_products(
    random: np.random.Generator, people: People, products: Products, person: Ints
) -> tuple[Ints, Ints]:
    """Draw the product a session is mostly about, with its rating; -1 where none stands out."""
    size = len(person)
    other = random.integers(len(CATEGORIES), size=size)
    category = np.where(random.random(size) < 0.6, people.favourite[person], other)
    product = products.pick(category, taste_position(random, people.price_taste[person]))
    stands_out = random.random(size) < 0.97
    return np.where(stands_out, product, -1), np.where(
        stands_out, products.rating_cents[product], 0
    )


def taste_position(random: np.random.Generator, taste: Floats) -> Floats:
    """Positions on a shelf in [0, 1), cheap to dear, around each person's price taste."""
    position = taste + random.normal(0.0, 0.25, len(taste))
    # Reflected at the ends, so that the cheapest and the dearest product do not pile up.
    inside: Floats = np.clip(1 - np.abs(1 - np.abs(position)), 0.0, 1 - 1e-9)
    return inside
