"""Whether a session buys: the true probability, and what came of it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer_insights.sample.columns import Bools, Floats, Ints, table
from customer_insights.sample.config import DAY, ShopConfig
from customer_insights.sample.contract import TRUTH
from customer_insights.sample.scenarios import Effects
from customer_insights.sample.sessions import NEW, TENTHS, Sessions, session_ids

MAX_LINES = 6

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
PROMOTED_TRAFFIC = np.isin(np.arange(14), (2, 5, 8, 10, 11))


@dataclass(frozen=True)
class Purchases:
    """Orders of a block in order of time; each array has one value an order.

    `session` is a row of the block's sessions, -1 for a phone order. `lines` has `MAX_LINES`
    columns of product rows, the main one first, -1 after the last.
    """

    person: Ints
    session: Ints
    seconds: Ints
    lines: Ints
    is_discounted: Bools

    def __len__(self) -> int:
        """Count the orders."""
        return len(self.person)


@dataclass(frozen=True)
class Outcomes:
    """What came of the visits of a block.

    `probability`, `is_purchase` and `is_signed_up` (the visitor is a customer by the end of the
    session) have one value a session; `sign_up_visit` has one a person, -1 for customers from
    before the period and `NEVER` for those who stay anonymous.
    """

    probability: Floats
    is_purchase: Bools
    is_signed_up: Bools
    sign_up_visit: Ints
    purchases: Purchases


def purchase_logit(sessions: Sessions, effects: Effects) -> Floats:
    """Log-odds of a purchase, without the term for earlier orders.

    Every term is smooth and saturates, and is centred or zero where a column is null.
    """
    rating = np.where(sessions.product < 0, TYPICAL_RATING, sessions.rating_cents / 100)
    days_since = (sessions.seconds - sessions.previous_seconds) / DAY
    logit: Floats = (
        behaviour_logit(
            effects,
            pages=sessions.product_related,
            product_tenths=sessions.product_tenths,
            exit_rates=sessions.exit_rates,
            page_load_ms=sessions.page_load_ms,
            traffic_type=sessions.traffic_type,
        )
        + rating_logit(effects, rating)
        + occasion_logit(
            effects,
            days_since=np.where(sessions.visit > 0, days_since, np.inf),
            is_weekend=sessions.is_weekend,
            special_day=sessions.special_day,
        )
        + effects.new_visitor * (sessions.visitor_type == NEW)
    )
    return logit


def behaviour_logit(
    effects: Effects,
    *,
    pages: Ints,
    product_tenths: Ints,
    exit_rates: Floats,
    page_load_ms: Ints,
    traffic_type: Ints,
) -> Floats:
    """The intercept, and the terms for what visitors do and how they came."""
    seconds = product_tenths / TENTHS
    load = np.where(page_load_ms < 0, TYPICAL_LOAD_MS, page_load_ms)
    slowness = (np.clip(load, *LOAD_RANGE_MS) - TYPICAL_LOAD_MS) / 1000
    logit: Floats = (
        effects.intercept
        + effects.product_time * seconds / (seconds + HALF_PRODUCT_SECONDS)
        + effects.product_pages * pages / (pages + HALF_PRODUCT_PAGES)
        + effects.exit_rate * np.minimum(exit_rates / EXIT_RATE_CAP, 1.0)
        + effects.page_load * slowness
        + effects.promoted_traffic * PROMOTED_TRAFFIC[traffic_type]
    )
    return logit


def rating_logit(effects: Effects, rating: Floats) -> Floats:
    """The term for the rating of the product that a visit is about."""
    return effects.product_rating * (rating - TYPICAL_RATING)


def occasion_logit(
    effects: Effects, *, days_since: Floats, is_weekend: Bools, special_day: Floats
) -> Floats:
    """The terms for when a visit is, and for the days since the one before (infinite: none)."""
    logit: Floats = (
        effects.recent_visit * np.exp(-days_since / RECENT_DAYS)
        + effects.weekend * is_weekend
        + effects.special_day * special_day
    )
    return logit


def earlier_orders_share(orders: Ints) -> Floats:
    """What the effect of earlier orders is multiplied by: 0 without one, up to 1."""
    share: Floats = orders / (orders + HALF_EARLIER_ORDERS)
    return share


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
