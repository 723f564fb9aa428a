"""Two years of decisions in a row: noise seldom promotes, and what changes is learned again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from customer_insights.training import TrainingSet, decide

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row

MONTHS = 24
MONTH_DAYS = 30
PER_DAY = 14
# A month of rows to validate and test on; half a year to learn from.
WINDOW_DAYS = 180
TURN_MONTH = 18


def replay(shop: Shop, rows: pa.Table, **changed: Any) -> list[Row]:
    """The decisions at the end of each month from the third on."""
    past: list[Row] = []
    for month in range(3, MONTHS + 1):
        end = month * MONTH_DAYS
        start = max(0, end - WINDOW_DAYS)
        known = shop.split(rows.slice(start * PER_DAY, (end - start) * PER_DAY))
        training_set = TrainingSet.of(known, ("session_id",), "session_on", shop.spec())
        past.append(decide(shop.spec(), training_set, past, shop.settings(**changed)))
    return past


def shop_rows(shop: Shop, seed: int, signal: float = 1.0) -> pa.Table:
    return shop.visits(MONTHS * MONTH_DAYS, PER_DAY, seed=seed, signal=signal)


def fired(row: Row) -> set[str]:
    return {trigger["name"] for trigger in json.loads(row["triggers"]) if trigger["is_fired"]}


def test_where_nothing_changes_noise_seldom_promotes(shop: Shop) -> None:
    """Trained monthly on a shop that stays as it is; in its first year there is more to learn."""
    challenged, promoted, alarms, decisions = 0, 0, 0, 0
    for seed in range(2):
        past = replay(shop, shop_rows(shop, seed), retrain_max_age_days=1)
        later = [row for row in past if row["decision_number"] > MONTHS // 2 - 2]
        decisions += len(later)
        challenged += sum(row["artifact"] is not None for row in later)
        promoted += sum(row["decision"] == "trained_promoted" for row in later)
        alarms += sum(bool(fired(row) - {"age"}) for row in later)
    assert challenged == decisions
    assert promoted <= 0.05 * decisions
    assert alarms <= 0.05 * decisions


def test_a_concept_that_turns_is_learned_again_within_two_matured_windows(shop: Shop) -> None:
    turned_at = TURN_MONTH * MONTH_DAYS * PER_DAY
    rows = pa.concat_tables(
        [
            shop_rows(shop, 0).slice(0, turned_at),
            shop_rows(shop, 0, signal=-1.0).slice(turned_at),
        ]
    )
    past = replay(shop, rows)
    before = [row for row in past if row["decision_number"] + 2 <= TURN_MONTH]
    after = [row for row in past if TURN_MONTH < row["decision_number"] + 2 <= TURN_MONTH + 2]
    assert not any(fired(row) & {"fallen_metric", "miscalibrated"} for row in before)
    assert {"fallen_metric", "miscalibrated"} <= fired(after[0])
    assert "trained_promoted" in [row["decision"] for row in after]
    # What serves in the end is as good at the new rows as the first champion was at the old ones.
    (last,) = past[-1:]
    assert last["roc_auc"] > before[0]["roc_auc"] - 0.1
