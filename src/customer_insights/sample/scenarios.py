"""Named scenarios: what each one changes in the shop.

A new scenario is one more entry in `SCENARIOS`. It sets the fields of `Scenario` that it needs;
a new kind of change is a new field, with a default that leaves the shop as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType


@dataclass(frozen=True)
class Effects:
    """Coefficients of the purchase logit; `purchases.purchase_logit` defines each term.

    Every term is a column of the session, or something its visitor did before, so a model that
    sees the raw tables can learn all of it.
    """

    intercept: float = -4.5
    product_time: float = 4.1
    product_pages: float = 0.8
    exit_rate: float = -3.0
    page_load: float = -1.3
    product_rating: float = 1.8
    earlier_orders: float = 1.5
    recent_visit: float = 1.2
    new_visitor: float = 0.5
    promoted_traffic: float = 0.6
    weekend: float = 0.15
    special_day: float = 0.5


@dataclass(frozen=True)
class Campaign:
    """Visits that come otherwise than before; what decides whether they buy stays as it is.

    Weights have one value for each traffic type, region and browser, from 1 on, as in `people`.
    """

    share: float
    phone_share: float
    informational_pages: float
    channel_weights: tuple[float, ...]
    region_weights: tuple[float, ...]
    browser_weights: tuple[float, ...]


@dataclass(frozen=True)
class BadRows:
    """Rows that break exactly one rule of the raw contract.

    They are copies of good rows with `changes` applied. A copy gets a key of its own, unless the
    key is what is wrong.
    """

    table: str
    reason: str
    count: int
    changes: Mapping[str, object]
    keeps_key: bool = False


@dataclass(frozen=True)
class Scenario:
    """One story that the shop can tell.

    Later is from `ShopConfig.changes_on` on, without which it is after two thirds of the period.

    Args:
        description: one sentence for people.
        later_effects: coefficients of later visits; none means no change.
        later_campaign: what later visits are like; none means no change.
        label_delay_hours: sessions that start this late in the period have no label yet.
        hides_unlabelled_orders: orders of sessions without a label, and those by phone in the same
            time, have not arrived yet either. From `ShopConfig.changes_on` on, where it is given,
            there are no labels at all.
        bad_rows: rows that staging must reject.

    """

    description: str
    later_effects: Effects | None = None
    later_campaign: Campaign | None = None
    label_delay_hours: int = 24
    hides_unlabelled_orders: bool = False
    bad_rows: tuple[BadRows, ...] = field(default=())


EFFECTS = Effects()

# After the change shoppers are in no hurry to leave slow pages, ratings and the time spent on
# product pages say less, and people who have ordered before hold back.
DRIFTED_EFFECTS = replace(
    EFFECTS,
    intercept=-2.4,
    product_time=1.6,
    page_load=0.0,
    product_rating=-0.8,
    earlier_orders=-1.5,
)

# Half of the visits come from a campaign: on phones, by three channels, from other regions, and
# they read more about the shop. As many as before come by channels whose visitors come to buy.
CAMPAIGN = Campaign(
    share=0.5,
    phone_share=0.8,
    informational_pages=2.0,
    channel_weights=(0, 50, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 20),
    region_weights=(15, 5, 10, 5, 15, 30, 10, 5, 5),
    browser_weights=(5, 40, 5, 40, 5, 5, 0, 0),
)

FAR_FUTURE = datetime(2099, 1, 1)

BAD_ROWS = (
    BadRows("sessions", "duplicate_key", 3, {"page_load_time_ms": 60_000}, keeps_key=True),
    BadRows(
        "sessions",
        "negative_duration",
        2,
        {"product_related_duration": Decimal("-60"), "is_purchase": False},
    ),
    BadRows(
        "sessions",
        "event_after_load",
        2,
        {"started_at": FAR_FUTURE, "month": "Jan", "weekend": False, "is_purchase": None},
    ),
    BadRows("customers", "duplicate_key", 2, {"age": 100}, keeps_key=True),
    BadRows("customers", "event_after_load", 1, {"signed_up_on": date(2099, 1, 1)}),
    BadRows("customers", "age_out_of_range", 1, {"age": 1980}),
    BadRows("products", "duplicate_key", 1, {"category": "unknown"}, keeps_key=True),
    BadRows("products", "negative_amount", 1, {"price_amount": Decimal("-1")}),
    BadRows("orders", "duplicate_key", 2, {"payment_method": "unknown"}, keeps_key=True),
    BadRows(
        "orders",
        "event_after_load",
        2,
        {
            "session_id": None,
            "ordered_at": FAR_FUTURE,
            "status": "placed",
            "status_changed_at": None,
        },
    ),
    BadRows("orders", "status_before_order", 1, {"status_changed_at": datetime(1970, 1, 1)}),
    BadRows("orders", "unknown_status", 2, {"status": "lost"}),
    BadRows("orders", "negative_amount", 1, {"discount_amount": Decimal("-5")}),
    BadRows("order_items", "duplicate_key", 2, {"quantity": 1000}, keeps_key=True),
    BadRows("order_items", "negative_amount", 1, {"unit_price_amount": Decimal("-1")}),
    BadRows("order_items", "quantity_not_positive", 2, {"quantity": 0}),
    BadRows("reviews", "duplicate_key", 2, {"text": "Sent a second time."}, keeps_key=True),
    BadRows("reviews", "rating_out_of_range", 2, {"rating": 7}),
    BadRows("reviews", "event_after_load", 2, {"created_at": FAR_FUTURE, "reply_at": None}),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "none": Scenario("A healthy shop; only the last day has no labels yet."),
        "covariate_drift": Scenario(
            "Later visits come from elsewhere, and buy for the same reasons.",
            later_campaign=CAMPAIGN,
        ),
        "concept_drift": Scenario(
            "Of later visits other things decide whether they buy.",
            later_effects=DRIFTED_EFFECTS,
        ),
        "immature_labels": Scenario(
            "Labels and orders of the last seven days have not arrived yet.",
            label_delay_hours=7 * 24,
            hides_unlabelled_orders=True,
        ),
        "broken_rows": Scenario(
            "Every table has a few rows that break a rule.",
            bad_rows=BAD_ROWS,
        ),
    }
)


def bad_row_counts(scenario: str) -> dict[tuple[str, str], int]:
    """Count the bad rows that a scenario adds, by (table, reason).

    A duplicate key counts the added row, not the good row whose key it repeats.

    Raises:
        KeyError: no scenario has this name.

    """
    return {(bad.table, bad.reason): bad.count for bad in SCENARIOS[scenario].bad_rows}
