"""Decisions of some months in a row: noise does not promote, and what changes is learned again.

tests/project/test_two_years.py replays two years of sample shops, and counts.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from customer_insights.training import SPLITS, TrainingSet, decide

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row

MONTH_DAYS = 30
PER_DAY = 30
# Days of rows each to validate and to test on, what is left of half a year to learn from.
HALF_A_MONTH, WINDOW_DAYS = 15, 180
FIRST_MONTH, TURN_MONTH, LAST_MONTH = 6, 8, 10


def replay(
    shop: Shop, rows: pa.Table, *names: str, days: int = HALF_A_MONTH, **changed: Any
) -> list[Row]:
    """The decisions at the end of each month, with so many days each to validate and to test on."""
    past: list[Row] = []
    spec = shop.spec(*names)
    for month in range(FIRST_MONTH, LAST_MONTH + 1):
        end = month * MONTH_DAYS
        start = max(0, end - WINDOW_DAYS)
        known = shop.split(
            rows.slice(start * PER_DAY, (end - start) * PER_DAY),
            validation_days=days,
            test_days=days,
        )
        training_set = TrainingSet.of(known, ("session_id",), "session_on", spec)
        past.append(decide(spec, training_set, past, shop.settings(**changed)))
    return past


def shop_rows(shop: Shop) -> pa.Table:
    return shop.visits(LAST_MONTH * MONTH_DAYS, PER_DAY)


def fired(row: Row) -> set[str]:
    return {trigger["name"] for trigger in json.loads(row["triggers"]) if trigger["is_fired"]}


def test_where_nothing_changes_challengers_lose_and_nothing_alarms(shop: Shop) -> None:
    first, *later = replay(shop, shop_rows(shop), retrain_max_age_days=1)
    assert first["decision"] == "trained_promoted"
    assert {row["decision"] for row in later} == {"trained_rejected"}
    assert [fired(row) for row in later] == [{"age"}] * len(later)


def turned(shop: Shop) -> pa.Table:
    """Many pages and a new visitor tell of a purchase, from a month on noise and an old one."""
    at = TURN_MONTH * MONTH_DAYS * PER_DAY
    later = shop_rows(shop).slice(at)
    is_new = np.array(later["visitor"].to_pylist()) == "new"
    log_odds = 3.0 * later["noise"].to_numpy() - np.where(is_new, 2.0, -2.0)
    is_purchase = np.random.default_rng(1).logistic(size=len(log_odds)) < log_odds
    return pa.concat_tables(
        [shop_rows(shop).slice(0, at), shop.with_column(later, "is_purchase", is_purchase)]
    )


# With a month each to validate and to test on, no row since the turn is left to learn from.
@pytest.mark.parametrize("days", [HALF_A_MONTH, MONTH_DAYS])
def test_a_concept_that_turns_is_learned_again_from_rows_since_then(shop: Shop, days: int) -> None:
    rows = turned(shop)
    first, *before, seen, _ = replay(shop, rows, "pages", "visitor", "noise", days=days)
    assert first["decision"] == "trained_promoted"
    assert [row["decision"] for row in before] == ["kept"] * (TURN_MONTH - FIRST_MONTH)
    assert {"fallen_metric", "miscalibrated"} <= fired(seen)

    assert seen["decision"] == "trained_promoted"
    assert seen["reason"].startswith("on rows since 2024-08-28 alone trained because ")
    assert seen["train_from_on"] == shop.start + timedelta(days=TURN_MONTH * MONTH_DAYS)
    windows = [seen[f"{split}_{edge}_on"] for split in SPLITS for edge in ("from", "to")]
    assert windows == sorted(set(windows))
    assert sum(seen[f"{split}_rows"] for split in SPLITS) == MONTH_DAYS * PER_DAY
    # What serves then is about as good at the new rows as the first champion was at the old ones.
    assert seen["roc_auc"] > first["roc_auc"] - 0.1


def test_dates_that_lie_apart_are_no_recent_rows(shop: Shop) -> None:
    """Their label windows overlap: what decides one would be known to the next."""
    rows = shop.split(shop.visits(300, 2))
    training_set = TrainingSet.of(rows, ("session_id",), "session_on", shop.spec())
    last_day = shop.start + timedelta(days=299)
    recent = training_set.recent(last_day - timedelta(days=28))
    assert recent is not None
    assert recent.rows["split"].to_pylist() == ["train"] * 28 + ["validation"] * 14 + ["test"] * 14
    assert training_set.recent(last_day - timedelta(days=27)) is None
    assert training_set.recent(last_day) is None
    weekly = rows.filter(pa.array([on.weekday() == 0 for on in rows["session_on"].to_pylist()]))
    apart = TrainingSet.of(weekly, ("session_id",), "session_on", shop.spec())
    assert len(pc.unique(weekly["session_on"])) > 40
    assert apart.recent(shop.start) is None
