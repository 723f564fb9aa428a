"""Whether a session buys: the true probability, and the draw from it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer_insights.sample.columns import Bools, Floats, Ints, table
from customer_insights.sample.config import DAY, ShopConfig, Step
from customer_insights.sample.contract import TRUTH
from customer_insights.sample.people import NEVER, People
from customer_insights.sample.scenarios import EFFECTS, Effects
from customer_insights.sample.sessions import NEW, TENTHS, Sessions, session_ids

PHONE_ORDERS_PER_YEAR = 0.15

# Where a term of the logit has half of its effect.
HALF_PRODUCT_SECONDS = 600.0
HALF_PRODUCT_PAGES = 15.0
HALF_EARLIER_ORDERS = 1.0

RECENT_DAYS = 10.0
TYPICAL_LOAD_MS = 1600.0
LOAD_RANGE_MS = (600.0, 4000.0)
TYPICAL_RATING = 4.0
EXIT_RATE_CAP = 0.1

# Traffic types of campaigns, whose visitors come to buy.
PROMOTED_TRAFFIC = (2, 5, 8, 10, 11)


@dataclass(frozen=True)
class Outcomes:
    """What came of the sessions of a block.

    `probability`, `is_purchase` and `is_signed_up` (the visitor is a customer by the end of the
    session) have one value a session; `sign_up_visit` has one a person, -1 for customers from
    before the period and `NEVER` for those who stay anonymous. Phone orders are in order of
    person, then time.
    """

    probability: Floats
    is_purchase: Bools
    is_signed_up: Bools
    sign_up_visit: Ints
    phone_person: Ints
    phone_seconds: Ints


def make_outcomes(config: ShopConfig, people: People, sessions: Sessions, block: int) -> Outcomes:
    """Draw the outcome of every session from its true purchase probability.

    A visitor's sessions are decided in order of time, because an order makes the next one
    likelier; people are independent, so one step decides the n-th visit of everybody.
    """
    random = config.random(Step.OUTCOMES, block)
    draw = random.random(len(sessions))
    phone_person, phone_seconds = _phone_orders(random, config, people)

    later_effects = config.rules.later_effects or EFFECTS
    is_later = sessions.seconds >= config.drift_seconds
    base = np.where(
        is_later, purchase_logit(sessions, later_effects), purchase_logit(sessions, EFFECTS)
    )
    weight = np.where(is_later, later_effects.earlier_orders, EFFECTS.earlier_orders)

    phone_orders = _phone_orders_before(config, sessions, phone_person, phone_seconds)
    bought = np.zeros(len(people), np.int64)
    first_purchase = np.full(len(people), NEVER)
    probability = np.empty(len(sessions))
    is_purchase = np.empty(len(sessions), bool)
    by_visit = np.argsort(sessions.visit, kind="stable")
    for visit, rows in enumerate(np.split(by_visit, np.cumsum(np.bincount(sessions.visit))[:-1])):
        person = sessions.person[rows]
        orders = bought[person] + phone_orders[rows]
        logit = base[rows] + weight[rows] * orders / (orders + HALF_EARLIER_ORDERS)
        probability[rows] = 1 / (1 + np.exp(-logit))
        buys = draw[rows] < probability[rows]
        is_purchase[rows] = buys
        bought[person] += buys
        first_purchase[person] = np.minimum(first_purchase[person], np.where(buys, visit, NEVER))

    joins = np.minimum(people.joins_at_visit, first_purchase)
    visits = np.bincount(sessions.person, minlength=len(people))
    sign_up_visit = np.where(people.is_known, -1, np.where(joins < visits, joins, NEVER))
    return Outcomes(
        probability=probability,
        is_purchase=is_purchase,
        is_signed_up=sessions.visit >= sign_up_visit[sessions.person],
        sign_up_visit=sign_up_visit,
        phone_person=phone_person,
        phone_seconds=phone_seconds,
    )


def purchase_logit(sessions: Sessions, effects: Effects) -> Floats:
    """Log-odds of a purchase, without the term for earlier orders.

    Every term is smooth and saturates, and is centred or zero where a column is null.
    """
    seconds = sessions.product_tenths / TENTHS
    load = np.where(sessions.page_load_ms < 0, TYPICAL_LOAD_MS, sessions.page_load_ms)
    slowness = (np.clip(load, *LOAD_RANGE_MS) - TYPICAL_LOAD_MS) / 1000
    rating = np.where(sessions.product < 0, TYPICAL_RATING, sessions.rating_cents / 100)
    days_since = (sessions.seconds - sessions.previous_seconds) / DAY
    recency = np.where(sessions.visit > 0, np.exp(-days_since / RECENT_DAYS), 0.0)
    logit: Floats = (
        effects.intercept
        + effects.product_time * seconds / (seconds + HALF_PRODUCT_SECONDS)
        + effects.product_pages
        * sessions.product_related
        / (sessions.product_related + HALF_PRODUCT_PAGES)
        + effects.exit_rate * np.minimum(sessions.exit_rates / EXIT_RATE_CAP, 1.0)
        + effects.page_load * slowness
        + effects.product_rating * (rating - TYPICAL_RATING)
        + effects.recent_visit * recency
        + effects.new_visitor * (sessions.visitor_type == NEW)
        + effects.promoted_traffic * np.isin(sessions.traffic_type, PROMOTED_TRAFFIC)
        + effects.weekend * sessions.is_weekend
        + effects.special_day * sessions.special_day
    )
    return logit


def truth_table(config: ShopConfig, sessions: Sessions, outcomes: Outcomes, block: int) -> pa.Table:
    """List the true purchase probability of each session, in key order."""
    made = table(
        TRUTH,
        config,
        {
            "session_id": session_ids(block, sessions, np.arange(len(sessions))),
            "purchase_probability": np.round(outcomes.probability, 6),
        },
    )
    return made.take(pa.array(np.argsort(sessions.number)))


def _phone_orders(
    random: np.random.Generator, config: ShopConfig, people: People
) -> tuple[Ints, Ints]:
    """Person and time of orders by phone; only customers from before the period know the number."""
    rate = np.where(people.is_known, PHONE_ORDERS_PER_YEAR * config.years * people.active_to, 0.0)
    person = np.repeat(np.arange(len(people)), random.poisson(rate))
    share = random.random(len(person)) * people.active_to[person]
    seconds = (share * config.seconds).astype(np.int64)
    order = np.lexsort((seconds, person))
    return person[order], seconds[order]


def _phone_orders_before(
    config: ShopConfig, sessions: Sessions, phone_person: Ints, phone_seconds: Ints
) -> Ints:
    """Count the phone orders of each session's visitor before the session starts."""
    calls = phone_person * config.seconds + phone_seconds
    starts = sessions.person * config.seconds
    before = np.searchsorted(calls, starts + sessions.seconds)
    return before - np.searchsorted(calls, starts)
