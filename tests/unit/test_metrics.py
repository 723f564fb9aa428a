"""Metrics equal scikit-learn's, are null where they mean nothing, and know how sure they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as reference

from customer_insights.metrics import (
    PRIMARY_METRICS,
    UNDEFINED,
    Confusion,
    Floats,
    Interval,
    Labels,
    RankedScores,
    brier,
    difference,
    interval,
    log_loss,
    resampling_weights,
    unpaired_difference,
)

Case = tuple[Labels, Floats, Floats]

# Few different scores, so that ties are the rule; whole weights, like those of a resample.
cases = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from([0.0, 0.1, 0.1000001, 0.5, 0.9, 1.0]), st.integers(0, 3)
    ),
    min_size=2,
    max_size=40,
).map(
    lambda rows: (
        np.array([row[0] for row in rows], dtype=np.bool_),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows], dtype=np.float64),
    )
)
two_classes = cases.filter(lambda case: 0 < case[0].sum() < len(case[0]))
weighted_two_classes = two_classes.filter(
    lambda case: bool((case[2] * case[0]).any() and (case[2] * ~case[0]).any())
)
thresholds = st.sampled_from([-1.0, 0.0, 0.05, 0.1, 0.3, 0.5, 0.95, 1.0, 2.0])


def some_scores(rows: int, seed: int, lift: float = 0.5) -> tuple[Labels, Floats]:
    random = np.random.default_rng(seed)
    labels = random.random(rows) < 0.4
    return labels, random.normal(lift * labels)


@given(two_classes)
def test_roc_auc_and_pr_auc_equal_those_of_scikit_learn(case: Case) -> None:
    labels, scores, _ = case
    ranked = RankedScores(labels, scores)
    assert ranked.roc_auc() == pytest.approx(reference.roc_auc_score(labels, scores))
    assert ranked.pr_auc() == pytest.approx(reference.average_precision_score(labels, scores))


@given(weighted_two_classes)
def test_weighted_metrics_equal_those_of_scikit_learn(case: Case) -> None:
    labels, scores, weights = case
    ranked = RankedScores(labels, scores)
    assert ranked.roc_auc(weights) == pytest.approx(
        reference.roc_auc_score(labels, scores, sample_weight=weights)
    )
    assert ranked.pr_auc(weights) == pytest.approx(
        reference.average_precision_score(labels, scores, sample_weight=weights)
    )
    assert ranked.f1(weights, threshold=0.5) == pytest.approx(
        reference.f1_score(labels, scores >= 0.5, sample_weight=weights, zero_division=0.0)
    )


@given(cases, thresholds)
def test_decisions_at_a_threshold_equal_those_of_scikit_learn(case: Case, threshold: float) -> None:
    labels, scores, _ = case
    called = scores >= threshold
    confusion = Confusion.at(labels, scores, threshold)
    assert confusion.accuracy == pytest.approx(reference.accuracy_score(labels, called))
    if labels.any():
        expected = pytest.approx(reference.f1_score(labels, called, zero_division=0.0))
        assert confusion.f1 == expected
        assert RankedScores(labels, scores).f1(threshold=threshold) == expected
        assert confusion.recall == pytest.approx(reference.recall_score(labels, called))
    else:
        assert confusion.f1 is None
        assert confusion.recall is None
        assert RankedScores(labels, scores).f1(threshold=threshold) is None
    if called.any():
        assert confusion.precision == pytest.approx(reference.precision_score(labels, called))
    else:
        assert confusion.precision is None
    if 0 < labels.sum() < len(labels) and 0 < called.sum() < len(labels):
        assert confusion.mcc == pytest.approx(reference.matthews_corrcoef(labels, called))
    else:
        assert confusion.mcc is None


@given(two_classes)
def test_brier_and_log_loss_equal_those_of_scikit_learn_even_for_a_score_of_zero_or_one(
    case: Case,
) -> None:
    labels, scores, _ = case
    assert brier(labels, scores) == pytest.approx(reference.brier_score_loss(labels, scores))
    assert log_loss(labels, scores) == pytest.approx(reference.log_loss(labels, scores))


@given(weighted_two_classes)
def test_weights_are_worth_as_much_as_rows_repeated(case: Case) -> None:
    labels, scores, weights = case
    repeated = np.repeat(np.arange(len(labels)), weights.astype(int))
    ranked, resampled = (
        RankedScores(labels, scores),
        RankedScores(labels[repeated], scores[repeated]),
    )
    for metric in PRIMARY_METRICS:
        assert ranked.measure(metric, weights, threshold=0.5) == pytest.approx(
            resampled.measure(metric, threshold=0.5)
        )


@given(two_classes)
def test_the_order_of_rows_changes_no_metric(case: Case) -> None:
    labels, scores, _ = case
    order = np.random.default_rng(len(labels)).permutation(len(labels))
    one, other = RankedScores(labels, scores), RankedScores(labels[order], scores[order])
    for metric in PRIMARY_METRICS:
        assert one.measure(metric, threshold=0.5) == pytest.approx(
            other.measure(metric, threshold=0.5)
        )


@given(two_classes)
def test_the_best_threshold_is_a_score_and_no_other_has_a_higher_f1(case: Case) -> None:
    labels, scores, _ = case
    ranked = RankedScores(labels, scores)
    best = ranked.best_f1_threshold()
    found = ranked.f1(threshold=best)
    others = {score: ranked.f1(threshold=score) for score in set(scores.tolist())}
    assert best in others
    assert found == pytest.approx(max(value for value in others.values() if value is not None))
    higher = [value for score, value in others.items() if score > best and value is not None]
    assert all(value < found for value in higher if found is not None)


@pytest.mark.parametrize("label", [True, False])
def test_with_one_class_only_nothing_is_called_good(label: bool) -> None:
    labels, scores = np.full(5, label), np.linspace(0, 1, 5)
    ranked = RankedScores(labels, scores)
    assert ranked.roc_auc() is None
    assert ranked.pr_auc() is None
    assert Confusion.at(labels, scores, 0.0).mcc is None


def test_without_positives_there_is_no_f1_and_no_recall() -> None:
    labels, scores = np.zeros(4, dtype=np.bool_), np.linspace(0, 1, 4)
    assert RankedScores(labels, scores).f1(threshold=0.5) is None
    assert Confusion.at(labels, scores, 0.5).f1 is None
    assert Confusion.at(labels, scores, 0.5).recall is None


def test_a_resample_that_lost_a_class_is_undefined_not_perfect() -> None:
    labels, scores = np.array([True, False, False]), np.array([0.9, 0.2, 0.1])
    ranked = RankedScores(labels, scores)
    assert ranked.roc_auc(np.array([0.0, 1.0, 2.0])) is None
    assert ranked.pr_auc(np.array([3.0, 0.0, 0.0])) is None
    assert ranked.f1(np.array([0.0, 2.0, 1.0]), threshold=0.5) is None


def test_without_rows_every_metric_is_undefined() -> None:
    labels, scores = np.zeros(0, dtype=np.bool_), np.zeros(0)
    assert brier(labels, scores) is None
    assert log_loss(labels, scores) is None
    confusion = Confusion.at(labels, scores, 0.5)
    assert (confusion.f1, confusion.accuracy, confusion.precision, confusion.recall) == (None,) * 4
    assert confusion.mcc is None
    ranked = RankedScores(labels, scores)
    for metric in PRIMARY_METRICS:
        assert ranked.measure(metric, threshold=0.5) is None


def test_f1_is_undefined_where_a_model_has_no_threshold() -> None:
    assert RankedScores(np.array([True, False]), np.array([0.9, 0.1])).measure("f1") is None


def test_a_metric_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="roc_auc, pr_auc, f1"):
        RankedScores(np.array([True, False]), np.array([0.9, 0.1])).measure("accuracy")


def test_scores_of_minus_infinity_are_ties_at_the_end() -> None:
    labels = np.array([True, False, True, False])
    infinite = RankedScores(labels, np.array([1.0, -np.inf, -np.inf, 0.5]))
    finite = RankedScores(labels, np.array([1.0, 0.0, 0.0, 0.5]))
    assert infinite.roc_auc() == finite.roc_auc()
    assert infinite.pr_auc() == finite.pr_auc()
    assert infinite.f1(threshold=-np.inf) == finite.f1(threshold=0.0)


def test_every_resample_draws_as_many_rows_as_there_are() -> None:
    weights = list(resampling_weights(30, 50, seed=1))
    assert len(weights) == 50
    assert all(each.sum() == 30 and (each >= 0).all() for each in weights)
    assert np.mean(weights) == pytest.approx(1.0)


def test_resamples_depend_on_the_seed_alone() -> None:
    one, same, other = (np.array(list(resampling_weights(20, 10, seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=30), st.floats(0, 1))
def test_an_interval_leaves_undefined_resamples_out(
    replicates: list[float | None], value: float
) -> None:
    defined = [replicate for replicate in replicates if replicate is not None]
    found = interval(value, replicates)
    if len(defined) < 2:
        assert found == Interval(value, None, None)
    else:
        assert found.low is not None
        assert found.high is not None
        assert min(defined) <= found.low <= found.high <= max(defined)


def test_an_undefined_value_has_no_interval() -> None:
    assert interval(None, [0.1, 0.2, 0.3]) == UNDEFINED


def test_an_interval_has_the_columns_of_its_metric() -> None:
    assert Interval(0.5, 0.4, None).columns("f1") == {"f1": 0.5, "f1_low": 0.4, "f1_high": None}


def test_a_difference_with_something_undefined_is_undefined() -> None:
    assert difference(0.5, 0.25) == 0.25
    assert difference(None, 0.5) is None
    assert difference(0.5, None) is None


def test_the_noise_of_both_counts_in_a_difference_of_two_measurements() -> None:
    """Each end by the two that lead there: 3 and 4, 4 and 3 tenths away."""
    found = unpaired_difference(Interval(0.5, 0.2, 0.9), Interval(0.3, 0.0, 0.7))
    assert found.value == pytest.approx(0.2)
    assert [found.low, found.high] == pytest.approx([-0.3, 0.7])
    exact = Interval(0.25, 0.25, 0.25)
    assert unpaired_difference(exact, exact) == Interval(0.0, 0.0, 0.0)
    assert unpaired_difference(exact, Interval(0.5, None, None)) == Interval(-0.25, None, None)
    assert unpaired_difference(UNDEFINED, exact) == UNDEFINED


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc"])
def test_an_interval_brackets_the_value_and_narrows_with_the_number_of_rows(metric: str) -> None:
    widths = []
    for rows in (100, 1600):
        labels, scores = some_scores(rows, seed=3)
        ranked = RankedScores(labels, scores)
        found = interval(
            ranked.measure(metric),
            [ranked.measure(metric, weights) for weights in resampling_weights(rows, 200, 1)],
        )
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert 2.5 < widths[0] / widths[1] < 6.5  # the square root of 16 is 4


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Scores normal with lift 1: the true ROC-AUC is Phi(1 / sqrt 2)."""
    truth = 0.7602499
    covered = 0
    for seed in range(200):
        labels, scores = some_scores(200, seed, lift=1.0)
        ranked = RankedScores(labels, scores)
        replicates = [ranked.roc_auc(weights) for weights in resampling_weights(200, 100, seed)]
        found = interval(ranked.roc_auc(), replicates)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    # 95 % of 200 is 190; the percentile interval with 100 resamples is a little narrow.
    assert 178 <= covered <= 198


def test_rows_of_one_subject_are_drawn_together() -> None:
    subjects = np.array([0, 0, 1, 2, 2, 2])
    for weights in resampling_weights(6, 50, 1, subjects):
        assert weights[0] == weights[1]
        assert weights[3] == weights[4] == weights[5]
        assert weights[0] + weights[2] + weights[3] == 3
    rows, own = (np.array(list(resampling_weights(6, 9, 1, of))) for of in (None, np.arange(6)))
    assert np.array_equal(rows, own)


def test_the_interval_covers_the_truth_only_where_subjects_are_drawn() -> None:
    """Five rows of each of 120 subjects, whose outcomes are equal and whose scores are alike."""
    truth, subjects = 0.7602499, np.repeat(np.arange(120), 5)
    covered = {"rows": 0, "subjects": 0}
    for seed in range(200):
        random = np.random.default_rng(seed)
        labels = (random.random(120) < 0.5)[subjects]
        # Of a variance of 1, 0.64 is the subject's own.
        scores = labels + random.normal(scale=0.8, size=120)[subjects]
        ranked = RankedScores(labels, scores + random.normal(scale=0.6, size=600))
        for name, drawn in (("rows", None), ("subjects", subjects)):
            weights = resampling_weights(600, 100, seed, drawn)
            found = interval(ranked.roc_auc(), [ranked.roc_auc(each) for each in weights])
            assert found.low is not None
            assert found.high is not None
            covered[name] += found.low <= truth <= found.high
    # As above: 95 % of 200 is 190.
    assert 178 <= covered["subjects"] <= 198
    assert covered["rows"] < 165


@given(cases)
def test_a_perfect_order_is_one_and_its_reverse_is_zero(case: Case) -> None:
    labels, _, _ = case
    assume(0 < labels.sum() < len(labels))
    perfect = labels.astype(np.float64)
    assert RankedScores(labels, perfect).roc_auc() == 1.0
    assert RankedScores(labels, perfect).pr_auc() == 1.0
    assert RankedScores(labels, -perfect).roc_auc() == 0.0
