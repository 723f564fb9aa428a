"""Whether scores are told from probabilities: what is off is seen, what is noise is not."""

from __future__ import annotations

import numpy as np
import pytest

from customer_insights.calibration import Calibration, measure_calibration
from customer_insights.metrics import Floats


def sigmoid(log_odds: Floats) -> Floats:
    """Probabilities of log-odds."""
    return 1 / (1 + np.exp(-log_odds))


def measured(
    log_odds: Floats, *, intercept: float = 0.0, slope: float = 1.0, seed: int = 1
) -> Calibration:
    """Outcomes whose true log-odds are `intercept + slope * log_odds`, scored by `log_odds`."""
    truth = sigmoid(intercept + slope * log_odds)
    labels = np.random.default_rng(seed).random(len(truth)) < truth
    return measure_calibration(labels, sigmoid(log_odds), fitted_rows=10**9)


def rare(rows: int, seed: int = 0) -> Floats:
    """Log-odds of an outcome of about one in six."""
    return np.random.default_rng(seed).normal(-2.2, 1.2, rows)


def test_calibrated_scores_seldom_look_wrong() -> None:
    values = [measured(rare(400, seed), seed=seed + 1000).p_value for seed in range(400)]
    # Uniform without miscalibration: 5 % below 0.05, give or take three standard errors.
    assert 0.017 < np.mean(np.array(values) < 0.05) < 0.083
    assert 0.42 < np.mean(np.array(values) < 0.5) < 0.58


@pytest.mark.parametrize(
    ("intercept", "slope"),
    [(0.7, 1.0), (-0.7, 1.0), (0.0, 0.5), (0.0, 2.0)],
    ids=["too low", "too high", "too extreme", "too timid"],
)
def test_scores_that_are_off_are_seen(intercept: float, slope: float) -> None:
    found = measured(rare(4000), intercept=intercept, slope=slope)
    assert found.p_value < 1e-4
    assert found.gap > 0.1


def test_what_the_z_of_spiegelhalter_does_not_see_is_seen() -> None:
    """Scores of 0.3 and 0.7, whose outcomes are all more frequent: the Z cancels out."""
    scores = np.repeat([0.3, 0.7], 1000)
    labels = np.concatenate([np.arange(1000) < 400, np.arange(1000) < 800])
    weights = 1 - 2 * scores
    z = np.sum((labels - scores) * weights) / np.sqrt(np.sum(weights**2 * scores * (1 - scores)))
    assert z == pytest.approx(0.0, abs=1e-9)
    found = measure_calibration(labels, scores, fitted_rows=10**9)
    assert found.p_value < 1e-9
    assert found.gap == pytest.approx(0.1 / 0.4, rel=0.02)


def test_the_gap_of_scores_that_are_half_of_what_comes_is_half() -> None:
    scores = np.full(2000, 0.1)
    labels = np.arange(2000) < 400
    found = measure_calibration(labels, scores, fitted_rows=10**9)
    assert found.expected_rate == pytest.approx(0.1)
    assert found.observed_rate == 0.2
    assert found.gap == pytest.approx(0.5, rel=1e-3)


def test_a_rare_outcome_and_its_opposite_are_off_alike() -> None:
    log_odds = rare(1000)
    labels = np.random.default_rng(3).random(1000) < sigmoid(log_odds + 0.5)
    found = measure_calibration(labels, sigmoid(log_odds), fitted_rows=500)
    other = measure_calibration(~labels, sigmoid(-log_odds), fitted_rows=500)
    assert found.gap == pytest.approx(other.gap, rel=1e-4)
    assert found.p_value == pytest.approx(other.p_value, rel=1e-4)


def test_a_calibration_that_was_found_on_few_rows_may_be_further_off() -> None:
    log_odds = rare(1000)
    labels = np.random.default_rng(3).random(1000) < sigmoid(log_odds + 0.3)
    few, many = (
        measure_calibration(labels, sigmoid(log_odds), fitted_rows) for fitted_rows in (100, 10**9)
    )
    assert few.p_value > many.p_value
    assert few.p_value == pytest.approx(many.p_value ** (1 / 11), rel=1e-6)
    assert few.gap == many.gap


def test_scores_of_nought_and_one_are_measured() -> None:
    scores = np.array([0.0, 1.0] * 50)
    found = measure_calibration(scores > 0.5, scores, fitted_rows=100)
    assert found.p_value == pytest.approx(1.0, abs=1e-3)
    assert found.gap == pytest.approx(0.0, abs=1e-3)
