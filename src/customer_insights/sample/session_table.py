"""The raw table of sessions, with the columns that follow from their outcome."""

import numpy as np
import pyarrow as pa

from customer_insights.sample.calendar import MONTHS
from customer_insights.sample.columns import Floats, decimals, ids, labels, table, timestamps, where
from customer_insights.sample.config import ShopConfig, Step
from customer_insights.sample.contract import DURATION
from customer_insights.sample.outcomes import Outcomes
from customer_insights.sample.people import People
from customer_insights.sample.products import CATEGORIES, Products
from customer_insights.sample.sessions import LAYOUTS, VISITOR_TYPES, Sessions, session_ids

# About the highest that the source data knows.
MAX_PAGE_VALUE = 360.0


def sessions_table(
    config: ShopConfig,
    people: People,
    products: Products,
    sessions: Sessions,
    outcomes: Outcomes,
    *,
    block: int,
) -> pa.Table:
    """Make the raw table, in key order, which is also the order of time within the block."""
    person = people.number[sessions.person]
    has_product = sessions.product >= 0
    in_time = np.argsort(sessions.number)
    made = table(
        "sessions",
        config,
        {
            "session_id": session_ids(block, sessions, np.arange(len(sessions))),
            "visitor_id": ids("v", person),
            "customer_id": ids("c", person, outcomes.is_signed_up),
            "started_at": timestamps(config, sessions.seconds),
            "administrative": sessions.administrative,
            "administrative_duration": decimals(sessions.administrative_tenths, 1, DURATION),
            "informational": sessions.informational,
            "informational_duration": decimals(sessions.informational_tenths, 1, DURATION),
            "product_related": sessions.product_related,
            "product_related_duration": decimals(sessions.product_tenths, 1, DURATION),
            "bounce_rates": sessions.bounce_rates,
            "exit_rates": sessions.exit_rates,
            "page_values": page_values(config, outcomes, block),
            "special_day": sessions.special_day,
            "month": labels(MONTHS, sessions.month),
            "operating_systems": sessions.operating_system,
            "browser": sessions.browser,
            "region": sessions.region,
            "traffic_type": sessions.traffic_type,
            "visitor_type": labels(VISITOR_TYPES, sessions.visitor_type),
            "weekend": sessions.is_weekend,
            "page_load_time_ms": where(sessions.page_load_ms >= 0, pa.array(sessions.page_load_ms)),
            "product_type": labels(CATEGORIES, products.category[sessions.product], has_product),
            "product_layout": labels(LAYOUTS, sessions.layout, has_product),
            "product_rating": where(
                has_product, decimals(sessions.rating_cents, 2, pa.decimal128(3, 2))
            ),
            "is_purchase": where(
                sessions.seconds < config.label_ends_seconds, pa.array(outcomes.is_purchase)
            ),
        },
    )
    return made.take(pa.array(in_time))


def page_values(config: ShopConfig, outcomes: Outcomes, block: int) -> Floats:
    """Average value of the pages seen, as web analytics derives it from transactions.

    It follows from the outcome, so a model that predicts the outcome during a session cannot
    have it. Pages that led to orders of other visitors give some value to non-buyers too.
    """
    random = config.random(Step.PAGE_VALUES, block)
    size = len(outcomes.is_purchase)
    has_value = random.random(size) < np.where(outcomes.is_purchase, 0.85, 0.13)
    value = random.lognormal(np.where(outcomes.is_purchase, 3.0, 2.5), 0.9)
    shown: Floats = np.where(has_value, np.minimum(value, MAX_PAGE_VALUE), 0.0)
    return shown.round(2)
