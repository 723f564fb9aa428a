"""How good a model is, beside what is simpler or older, on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from customer_insights.catalog import Feature, FeatureKind
from customer_insights.evaluation import (
    NO_PERFORMANCE,
    Baselines,
    Comparison,
    ConstantBaseline,
    Scored,
    compare,
    fit_baselines,
    fit_single_feature,
    model_scored,
    single_feature_scored,
)
from customer_insights.metrics import UNDEFINED, Floats, Labels, RankedScores, brier, log_loss
from customer_insights.model import Examples

if TYPE_CHECKING:
    from conftest import Shop


def some_labels(rows: int = 600, seed: int = 0) -> tuple[Labels, np.random.Generator]:
    random = np.random.default_rng(seed)
    return random.random(rows) < 0.4, random


def measure(labels: Labels, model: Scored, metric: str = "roc_auc", **others: Scored) -> Comparison:
    return compare(labels, model, others, primary_metric=metric, replicates=150, seed=5)


def examples(labels: npt.ArrayLike, **columns: object) -> Examples:
    rows = pa.table({name: pa.array(values) for name, values in columns.items()})
    return Examples(rows, np.asarray(labels, dtype=np.bool_))


def baselines(
    train: Examples,
    validation: Examples,
    *features: Feature,
    metric: str = "roc_auc",
    limit: float = 0.85,
) -> Baselines:
    return fit_baselines(train, validation, features, primary_metric=metric, leak_roc_auc=limit)


# --- comparing ---


def test_a_model_is_measured_by_every_metric_on_all_rows() -> None:
    labels, random = some_labels()
    scores = 1 / (1 + np.exp(-random.normal(labels * 2.0 - 1.0)))
    performance = measure(labels, Scored(scores, threshold=0.5)).performance
    ranked = RankedScores(labels, scores)
    assert (performance.rows, performance.positives) == (600, int(labels.sum()))
    assert performance.roc_auc.value == ranked.roc_auc()
    assert performance.pr_auc.value == ranked.pr_auc()
    assert performance.f1.value == ranked.f1(threshold=0.5)
    assert performance.brier.value == pytest.approx(brier(labels, scores))
    assert performance.log_loss == log_loss(labels, scores)
    assert performance.confusion is not None
    assert performance.confusion.f1 == pytest.approx(performance.f1.value)
    for metric in (performance.roc_auc, performance.pr_auc, performance.f1, performance.brier):
        assert metric.value is not None
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low < metric.value < metric.high
    for name in ("roc_auc", "pr_auc", "f1"):
        assert performance.metric(name) is getattr(performance, name)


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc", "f1"])
def test_the_lead_over_a_worse_model_excludes_zero(metric: str) -> None:
    labels, random = some_labels(800)
    good, bad = random.normal(labels * 1.5), random.normal(labels * 0.3)
    worse = measure(labels, Scored(good, 0.7), metric, bad=Scored(bad, 0.1)).lead["bad"]
    assert worse.value is not None
    assert worse.low is not None
    assert 0 < worse.low < worse.value


def test_the_lead_over_an_equally_good_model_includes_zero_as_often_as_it_says() -> None:
    surprises = 0
    for seed in range(60):
        labels, random = some_labels(300, seed)
        one, other = (Scored(random.normal(labels * 1.0)) for _ in range(2))
        lead = compare(
            labels, one, {"other": other}, primary_metric="roc_auc", replicates=100, seed=seed
        ).lead["other"]
        assert lead.low is not None
        assert lead.high is not None
        surprises += not lead.low <= 0 <= lead.high
    # 5 % of 60 is 3.
    assert surprises <= 8


def test_the_lead_over_itself_is_exactly_nothing() -> None:
    labels, random = some_labels()
    model = Scored(random.normal(labels * 1.0), 0.5)
    lead = measure(labels, model, itself=model).lead["itself"]
    assert (lead.value, lead.low, lead.high) == (0.0, 0.0, 0.0)


def test_a_lead_is_surer_than_its_two_metrics_because_resamples_are_paired() -> None:
    labels, random = some_labels()
    scores = random.normal(labels * 1.0)
    close = scores + random.normal(scale=0.05, size=len(labels))
    found = measure(labels, Scored(scores), close=Scored(close))
    lead, metric = found.lead["close"], found.performance.roc_auc
    assert lead.low is not None
    assert lead.high is not None
    assert metric.low is not None
    assert metric.high is not None
    assert lead.high - lead.low < 0.3 * (metric.high - metric.low)


def test_the_same_seed_gives_the_same_intervals() -> None:
    labels, random = some_labels()
    model = Scored(random.normal(labels * 1.0), 0.5)
    assert measure(labels, model) == measure(labels, model)


def test_without_rows_nothing_is_measured_and_no_lead_is_claimed() -> None:
    nobody = Scored(np.empty(0), 0.5)
    found = measure(np.zeros(0, dtype=np.bool_), nobody, other=nobody)
    assert found == Comparison(NO_PERFORMANCE, {"other": UNDEFINED})
    assert NO_PERFORMANCE.roc_auc.value is None


@pytest.mark.parametrize("label", [True, False])
def test_with_one_class_only_a_ranking_metric_and_a_lead_are_undefined(label: bool) -> None:
    labels = np.full(50, label)
    scores = np.linspace(0.1, 0.9, 50)
    found = measure(labels, Scored(scores, 0.5), other=Scored(scores, 0.5))
    assert found.performance.roc_auc == UNDEFINED
    assert found.performance.pr_auc == UNDEFINED
    assert found.lead["other"] == UNDEFINED
    assert found.performance.brier.value is not None


def test_a_model_without_a_threshold_has_no_f1_and_no_decisions() -> None:
    labels, random = some_labels(50)
    performance = measure(labels, Scored(random.random(50))).performance
    assert performance.f1 == UNDEFINED
    assert performance.confusion is None


# --- baselines ---


def test_the_constant_is_the_positive_share_and_calls_everybody() -> None:
    labels, _ = some_labels(100)
    constant = ConstantBaseline(0.25)
    scored = constant.scored(100)
    assert set(scored.scores.tolist()) == {0.25}
    assert constant.brier(labels) == pytest.approx(float(np.mean((labels - 0.25) ** 2)))
    ranked = RankedScores(labels, scored.scores)
    assert ranked.roc_auc() == 0.5
    assert ranked.pr_auc() == pytest.approx(labels.mean())
    assert scored.threshold is not None
    share = labels.mean()
    assert ranked.f1(threshold=scored.threshold) == pytest.approx(2 * share / (1 + share))


def test_the_constant_is_learned_from_the_training_rows_alone() -> None:
    train = examples([True, False, False, False], x=[1.0, 2.0, 3.0, 4.0])
    validation = examples([True, True, True, False], x=[1.0, 2.0, 3.0, 4.0])
    found = baselines(train, validation, Feature("x", "number"))
    assert found.constant == ConstantBaseline(0.25)


def signal(random: np.random.Generator, labels: Labels, strength: float) -> Floats:
    return random.normal(labels * strength)


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc", "f1"])
def test_the_best_single_feature_is_the_one_that_orders_the_validation_rows_best(
    metric: str,
) -> None:
    labels, random = some_labels()
    weak, strong, noise = (signal(random, labels, lift) for lift in (0.4, 1.0, 0.0))
    rows = examples(labels, weak=weak, strong=strong, noise=noise)
    found = baselines(
        rows, rows, *(Feature(n, "number") for n in ("noise", "strong", "weak")), metric=metric
    )
    assert found.best_single_feature.name == "strong"


def test_a_number_that_falls_with_the_label_is_used_upside_down() -> None:
    labels, random = some_labels()
    rows = examples(labels, x=-signal(random, labels, 1.0))
    single = fit_single_feature(rows, Feature("x", "number"))
    assert (RankedScores(labels, single.scores(rows.rows)).roc_auc() or 0.0) > 0.6


def test_the_direction_is_learned_from_training_even_where_validation_says_otherwise() -> None:
    labels, random = some_labels()
    x = signal(random, labels, 1.0)
    found = baselines(examples(labels, x=x), examples(labels, x=-x), Feature("x", "number"))
    scores = found.best_single_feature.scores(pa.table({"x": [0.0, 1.0]}))
    assert scores[1] > scores[0]


def test_missing_numbers_come_last() -> None:
    labels, random = some_labels()
    for direction in (1.0, -1.0):
        rows = examples(labels, x=direction * signal(random, labels, 1.0))
        single = fit_single_feature(rows, Feature("x", "number"))
        scores = single.scores(pa.table({"x": [None, -50.0, 50.0]}))
        assert scores[0] < scores[1:].min()


def test_a_category_is_ordered_by_the_positive_share_of_each_level() -> None:
    labels = [True] * 8 + [False] * 2 + [True] * 2 + [False] * 8
    rows = examples(labels, channel=["mail"] * 10 + ["ads"] * 10)
    single = fit_single_feature(rows, Feature("channel", "category"))
    mail, ads, unseen, missing = single.scores(pa.table({"channel": ["mail", "ads", "new", None]}))
    assert ads < unseen < mail
    assert unseen == missing == pytest.approx(0.5)


def test_missing_has_its_own_share_where_training_saw_it() -> None:
    rows = examples([True] * 5 + [False] * 5, channel=[None] * 5 + ["ads"] * 5)
    single = fit_single_feature(rows, Feature("channel", "category"))
    ads, missing = single.scores(pa.table({"channel": ["ads", None]}))
    assert missing > ads


def test_an_id_with_one_row_per_level_is_no_good_baseline() -> None:
    labels, _ = some_labels(200)
    train = examples(labels[:100], visitor=[f"v{n}" for n in range(100)])
    validation = examples(labels[100:], visitor=[f"v{n}" for n in range(100, 200)])
    found = baselines(train, validation, Feature("visitor", "category"))
    assert found.leaking_features == ()
    scores = found.best_single_feature.scores(validation.rows)
    assert RankedScores(validation.labels, scores).roc_auc() == 0.5


def test_the_threshold_of_a_single_feature_is_found_on_the_validation_rows() -> None:
    train = examples([True, False], x=[2.0, 1.0])
    validation = examples([True, True, False, False], x=[9.0, 7.0, 5.0, 3.0])
    single = fit_single_feature(train, Feature("x", "number"))
    scored = single_feature_scored(single, validation, pa.table({"x": [8.0, 6.0]}))
    assert scored.threshold == 7.0
    assert scored.scores.tolist() == [8.0, 6.0]


# --- leaks ---


def leaks(kind: FeatureKind, values: Any, labels: Labels, **options: Any) -> tuple[str, ...]:
    rows = examples(labels, x=values)
    limit = options.pop("limit", 0.85)
    return baselines(rows, rows, Feature("x", kind, **options), limit=limit).leaking_features


def test_a_feature_that_gives_the_label_away_is_found() -> None:
    labels, random = some_labels()
    assert leaks("number", signal(random, labels, 3.0), labels) == ("x",)
    assert leaks("boolean", labels, labels) == ("x",)
    assert leaks("category", np.where(labels, "paid", "open").tolist(), labels) == ("x",)


def test_a_feature_that_gives_the_label_away_upside_down_is_found() -> None:
    labels, random = some_labels()
    assert leaks("number", -signal(random, labels, 3.0), labels) == ("x",)


def test_a_feature_that_is_the_exact_opposite_of_the_label_is_found() -> None:
    labels, _ = some_labels()
    assert leaks("boolean", ~labels, labels) == ("x",)
    assert leaks("number", (1.0 - labels), labels) == ("x",)


def test_a_number_that_is_missing_exactly_where_the_label_is_positive_is_found() -> None:
    labels, random = some_labels()
    days = [None if label else float(random.random()) for label in labels]
    assert leaks("number", days, labels) == ("x",)


def test_a_feature_with_a_reason_may_predict_the_label_nearly_alone() -> None:
    labels, random = some_labels()
    assert leaks("number", signal(random, labels, 3.0), labels, may_leak=True) == ()


def test_a_good_honest_feature_is_no_leak_below_the_limit() -> None:
    labels, random = some_labels()
    values = signal(random, labels, 1.0)
    roc_auc = RankedScores(labels, values).roc_auc()
    assert roc_auc is not None
    assert leaks("number", values, labels, limit=roc_auc + 0.001) == ()
    assert leaks("number", values, labels, limit=roc_auc) == ()
    assert leaks("number", values, labels, limit=roc_auc - 0.001) == ("x",)


def test_every_leaking_feature_is_named() -> None:
    labels, random = some_labels()
    rows = examples(labels, a=signal(random, labels, 3.0), b=labels, c=random.random(600))
    found = baselines(
        rows, rows, Feature("a", "number"), Feature("b", "boolean"), Feature("c", "number")
    )
    assert found.leaking_features == ("a", "b")


def test_a_feature_that_is_empty_in_training_is_a_useless_baseline_not_an_error() -> None:
    labels, _ = some_labels(50)
    rows = examples(labels, x=pa.nulls(50, pa.float64()), y=pa.nulls(50, pa.string()))
    found = baselines(rows, rows, Feature("x", "number"), Feature("y", "category"))
    assert found.leaking_features == ()
    scores = found.best_single_feature.scores(rows.rows)
    assert RankedScores(labels, scores).roc_auc() == 0.5


def test_a_model_is_scored_with_its_own_threshold(shop: Shop) -> None:
    rows = shop.visits()
    model = shop.fit(rows)
    scored = model_scored(model, rows, shop.settings())
    assert scored.threshold == model.threshold
    np.testing.assert_array_equal(scored.scores, model.score(rows, 2))
