"""The recipe is measured on rows that nothing was chosen on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
    rolling_origins,
)

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.catalog import ModelSpec


def evaluate(
    shop: Shop,
    rows: pa.Table,
    spec: ModelSpec | None = None,
    from_reviews: str = "",
    **settings: Any,
) -> pa.Table:
    settings = {"bootstrap_replicates": 50} | settings
    return evaluate_task(
        "visits",
        keys=["session_id"],
        date_column="session_on",
        run_context=shop.run_context(**settings),
        model_features=shop.model_features(spec or shop.spec(), from_reviews=from_reviews),
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


def test_what_reviews_add_is_the_lead_over_the_model_without_them(shop: Shop) -> None:
    rows = shop.visits(days=75)
    found = evaluate(shop, rows, from_reviews="pages", evaluation_seeds=1).to_pylist()
    left_out = [row for row in found if row["left_out"]]
    whole = [row for row in found if not row["left_out"]]
    assert {row["left_out"] for row in left_out} == {"reviews"}
    without = evaluate(
        shop, rows, shop.spec(*(set(shop.spec().feature_names) - {"pages"})), evaluation_seeds=1
    ).to_pylist()
    for one, other, alone in zip(whole, left_out, without, strict=True):
        assert other["fold"] == one["fold"]
        assert other["roc_auc"] == alone["roc_auc"]
        assert other["lead_over_baseline"] == pytest.approx(one["roc_auc"] - other["roc_auc"])
        assert 0 < other["lead_over_baseline_low"] < other["lead_over_baseline"]


def test_without_reviews_nothing_is_left_out(shop: Shop) -> None:
    """Nor where the features made from them are the same in every row."""
    rows = shop.visits(days=75)
    assert set(evaluate(shop, rows, evaluation_seeds=1)["left_out"].to_pylist()) == {None}
    rows = shop.with_column(rows, "pages", pa.nulls(rows.num_rows, pa.int64()))
    found = evaluate(shop, rows, from_reviews="pages", evaluation_seeds=1)
    assert set(found["left_out"].to_pylist()) == {None}


def as_of_rows(dates: int = 8, window_days: int = 20) -> tuple[Any, Any]:
    """Days and maturity of forty rows for each of some dates, ten days apart."""
    days = np.repeat(np.datetime64("2024-01-01") + 10 * np.arange(dates), 40)
    return days, days + window_days


@given(
    dates=st.integers(1, 12),
    window_days=st.integers(1, 60),
    train_dates=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_an_origin_is_measured_by_labels_that_were_final_at_each_choice(
    dates: int, window_days: int, train_dates: int, seed: int
) -> None:
    days, matured = as_of_rows(dates, window_days)
    labels = np.random.default_rng(seed).random(len(days)) < 0.5
    folds = list(rolling_origins(days, matured, labels, train_dates))
    assert len(folds) <= 4
    for fold in folds:
        assert_apart(fold)
        assert len(np.unique(days[fold.test])) == len(np.unique(days[fold.validation])) == 1
        assert matured[fold.validation].max() <= days[fold.test].min()
        assert matured[fold.train].max() <= days[fold.validation].min()
        assert len(np.unique(days[fold.train])) <= train_dates


def test_origins_take_the_newest_dates_that_were_final() -> None:
    days, matured = as_of_rows(dates=8, window_days=20)
    labels = np.arange(len(days)) % 2 == 0
    *_, newest = rolling_origins(days, matured, labels, 2)
    assert newest.name == "2024-03-11"
    assert set(days[newest.validation].astype(str)) == {"2024-02-20"}
    assert set(days[newest.train].astype(str)) == {"2024-01-21", "2024-01-31"}


def test_named_baselines_are_measured_beside_the_model_at_each_origin(shop: Shop) -> None:
    rows = shop.visits(days=60, per_day=60)
    dates = pa.array([date(2024, 1, 1) + timedelta(days=10 * number) for number in range(6)])
    rows = rows.filter(pc.is_in(rows["session_on"], dates))
    matured = [on + timedelta(days=10) for on in rows["session_on"].to_pylist()]
    rows = rows.append_column("matured_on", pa.array(matured))
    named = tuple(replace(f, is_baseline=f.name == "pages") for f in shop.features())
    spec = replace(shop.spec(), features=named)
    found = evaluate_task(
        "visits",
        keys=["session_id"],
        date_column="session_on",
        matured_column="matured_on",
        run_context=shop.run_context(bootstrap_replicates=50),
        model_features=shop.model_features(spec),
        training_set=shop.relate(rows),
    )
    assert found.schema == EVALUATION_SCHEMA
    models, baselines = (
        [row for row in found.to_pylist() if (row["baseline"] is None) == is_model]
        for is_model in (True, False)
    )
    assert {row["protocol"] for row in models} == {"rolling_origin"}
    assert [row["fold"] for row in models] == [row["fold"] for row in baselines] != []
    for model, baseline in zip(models, baselines, strict=True):
        assert baseline["baseline"] == "pages"
        assert baseline["lead_over_baseline"] == pytest.approx(
            model["roc_auc"] - baseline["roc_auc"]
        )
        assert baseline["lead_over_baseline_low"] <= baseline["lead_over_baseline"]


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
