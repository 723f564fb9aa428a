"""The recipe is measured on rows that nothing was chosen on."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_insights.metrics import Labels
from customer_insights.repeated_evaluation import (
    EVALUATION_SCHEMA,
    Fold,
    evaluate_task,
    out_of_time_months,
    random_folds,
)

if TYPE_CHECKING:
    from conftest import Shop


def evaluate(shop: Shop, rows: pa.Table, **settings: Any) -> pa.Table:
    settings = {"bootstrap_replicates": 50} | settings
    return evaluate_task(
        "visits",
        keys=["session_id"],
        date_column="session_on",
        run_context=shop.run_context(**settings),
        model_features=shop.model_features(shop.spec()),
        training_set=shop.relate(rows),
    )


def assert_apart(fold: Fold) -> None:
    parts = [set(part.tolist()) for part in (fold.train, fold.validation, fold.test)]
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts))


def some_labels(rows: int, positives: int, seed: int) -> Labels:
    labels = np.arange(rows) < positives
    np.random.default_rng(seed).shuffle(labels)
    return labels


@given(rows=st.integers(60, 300), positives=st.integers(20, 40), seed=st.integers(0, 2**31 - 1))
def testrandom_folds_never_overlap_and_test_each_row_once(
    rows: int, positives: int, seed: int
) -> None:
    labels = some_labels(rows, positives, seed)
    folds = list(random_folds(labels, seed))
    assert len(folds) == 5
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested.tolist()) == list(range(rows))
    for fold in folds:
        assert_apart(fold)
        assert len(fold.train) + len(fold.validation) + len(fold.test) == rows
        for part in (fold.train, fold.validation):
            assert (np.diff(part) > 0).all(), "rows are in key order"
        for part in (fold.train, fold.validation, fold.test):
            assert abs(labels[part].mean() - labels.mean()) < 0.1


@given(rows=st.integers(0, 60), positives=st.integers(0, 60), seed=st.integers(0, 1000))
def test_a_random_fold_always_has_both_classes_in_every_part_or_is_left_out(
    rows: int, positives: int, seed: int
) -> None:
    labels = some_labels(rows, min(rows, positives), seed)
    for fold in random_folds(labels, seed):
        for part in (fold.train, fold.validation, fold.test):
            assert len(np.unique(labels[part])) == 2


@given(seed=st.integers(0, 1000), days=st.integers(20, 120))
def test_a_month_is_measured_by_what_came_before_it_and_never_by_itself(
    seed: int, days: int
) -> None:
    random = np.random.default_rng(seed)
    rows = 400
    on = np.datetime64("2024-01-15") + random.integers(0, days, rows)
    labels = random.random(rows) < 0.5
    folds = list(out_of_time_months(on, labels))
    assert len(folds) <= 2
    for fold in folds:
        assert_apart(fold)
        first = on[fold.test].min().astype("datetime64[M]")
        assert (on[fold.test].astype("datetime64[M]") == first).all()
        assert on[fold.validation].max() < first.astype("datetime64[D]")
        # What is chosen is chosen on the newest of the earlier rows.
        assert on[fold.train].max() <= on[fold.validation].min()
        assert len(fold.validation) == (len(fold.train) + len(fold.validation)) // 5
        assert (np.diff(fold.train) > 0).all()


def test_the_first_month_has_nothing_before_it_and_is_not_measured() -> None:
    on = np.full(50, np.datetime64("2024-01-15"))
    assert list(out_of_time_months(on, some_labels(50, 20, 0))) == []


def test_a_month_of_one_class_is_left_out() -> None:
    on = np.repeat(np.array(["2024-01-10", "2024-02-10", "2024-03-10"], "datetime64[D]"), 50)
    labels = np.concatenate([some_labels(100, 40, 0), np.zeros(50, dtype=np.bool_)])
    assert [fold.name for fold in out_of_time_months(on, labels)] == ["2024-02"]


def test_both_protocols_are_measured_for_every_seed(shop: Shop) -> None:
    rows = shop.visits(days=75)
    found = evaluate(shop, rows, evaluation_seeds=2)
    assert found.schema == EVALUATION_SCHEMA
    table = found.to_pylist()
    assert {row["seed"] for row in table} == {7, 8}
    for seed in (7, 8):
        of_seed = [row for row in table if row["seed"] == seed]
        assert [(row["protocol"], row["fold"]) for row in of_seed] == [
            *[("random", f"fold {number}") for number in range(1, 6)],
            ("out_of_time", "2024-02"),
            ("out_of_time", "2024-03"),
        ]
    february = table[5]
    assert february["test_from_on"] == date(2024, 2, 1)
    assert february["test_to_on"] == date(2024, 2, 29)
    assert february["train_rows"] + february["validation_rows"] == 31 * 14
    assert february["test_rows"] == 29 * 14
    for row in table:
        assert row["model_name"] == "intent"
        assert row["roc_auc_low"] < row["roc_auc"] < row["roc_auc_high"]
        assert row["roc_auc"] > 0.75
        assert row["best_single_feature"] in ("pages", "visitor")
        assert row["lead_over_best_single_feature"] == pytest.approx(
            row["roc_auc"] - row["best_single_feature_roc_auc"]
        )
        assert row["boosting_rounds"] >= 1


def test_features_that_tell_nothing_are_measured_as_such(shop: Shop) -> None:
    """What is chosen on test rows would look better than chance."""
    found = evaluate(shop, shop.visits(days=75, signal=0.0), evaluation_seeds=3).to_pylist()
    mean = np.mean([row["roc_auc"] for row in found if row["protocol"] == "random"])
    assert 0.44 < mean < 0.56


def test_the_same_data_gives_the_same_table_whatever_its_physical_order(shop: Shop) -> None:
    rows = shop.visits(days=45)
    order = np.random.default_rng(3).permutation(rows.num_rows)
    assert evaluate(shop, rows.take(pa.array(order))).equals(evaluate(shop, rows))


def test_one_class_only_gives_an_empty_typed_table(shop: Shop) -> None:
    rows = shop.visits(days=45)
    for labels in ([True] * rows.num_rows, [False] * rows.num_rows):
        found = evaluate(shop, shop.with_column(rows, "is_purchase", labels))
        assert found.num_rows == 0
        assert found.schema == EVALUATION_SCHEMA


def test_a_handful_of_buyers_stops_no_evaluation(shop: Shop) -> None:
    rows = shop.visits(days=45)
    labels = some_labels(rows.num_rows, 6, 0).tolist()
    assert evaluate(shop, shop.with_column(rows, "is_purchase", labels)).schema == EVALUATION_SCHEMA


def test_no_rows_give_an_empty_typed_table(shop: Shop) -> None:
    assert evaluate(shop, shop.visits(days=0)).schema == EVALUATION_SCHEMA
