"""Whether scores are probabilities: expected beside observed outcomes, and what noise explains.

Outcomes are regressed on the log-odds of the scores (Cox, Two further applications of a model for
binary regression, Biometrika 1958): a calibrated model has the intercept 0 and the slope 1. Both
are tested at once by the likelihood ratio, which is chi-squared with two degrees of freedom
(Miller, Langefeld, Tierney, Hui and McDonald, Validation of probabilistic predictions, Medical
Decision Making 1993). Spiegelhalter's Z does not see scores of 0.3 and 0.7 that are too low alike,
and the means alone do not see scores that are too extreme; this test sees both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

import customer_insights.blas  # noqa: F401  (limits its threads)
from customer_insights.alike import design_effect
from customer_insights.metrics import Floats, Labels, Subjects

# A score of 0 or 1 has no log-odds.
SMALLEST_SCORE = 1e-12


@dataclass(frozen=True)
class Calibration:
    """How far scores are from what came of them.

    `gap` is the mean distance of a score from its recalibrated value, as a share of the rarer
    outcome's rate: Harrell's E_avg (Regression Modeling Strategies, 2015), made comparable between
    rare and frequent outcomes. `p_value` is the chance of such a difference in a calibrated model.
    """

    rows: int
    expected_rate: float
    observed_rate: float
    gap: float
    p_value: float


def measure_calibration(
    labels: Labels, scores: Floats, fitted_rows: int, subjects: Subjects | None = None
) -> Calibration:
    """Compare scores with outcomes that the model has not seen.

    The model's own calibration was found on `fitted_rows` rows and is itself uncertain: on as many
    new rows two estimates differ by twice the variance of one, so the statistic is divided by
    1 + rows / fitted_rows. Rows that err alike are no evidence of their own: it is divided by the
    design effect of their errors, too.

    Args:
        labels: outcomes, shape (rows,), of both classes.
        scores: probabilities, shape (rows,).
        fitted_rows: rows that the model's calibration was found on.
        subjects: shape (rows,), whom or what each row is about; None where each is its own.

    """
    rows = len(labels)
    observed_rate = float(np.mean(labels))
    clipped = np.clip(scores, SMALLEST_SCORE, 1 - SMALLEST_SCORE)
    log_odds = np.log(clipped) - np.log1p(-clipped)
    # No penalty: two numbers are fitted on hundreds of rows.
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(log_odds[:, None], labels)
    recalibrated = fitted.predict_proba(log_odds[:, None])[:, 1]
    gained = _log_likelihood(labels, recalibrated) - _log_likelihood(labels, clipped)
    uncertainty = (1 + rows / fitted_rows) * design_effect(labels - scores, subjects)
    statistic = 2 * max(gained, 0.0) / uncertainty
    return Calibration(
        rows=rows,
        expected_rate=float(np.mean(scores)),
        observed_rate=observed_rate,
        gap=float(np.mean(np.abs(scores - recalibrated)) / min(observed_rate, 1 - observed_rate)),
        # The upper tail of chi-squared with two degrees of freedom.
        p_value=math.exp(-statistic / 2),
    )


def _log_likelihood(labels: Labels, scores: Floats) -> float:
    clipped = np.clip(scores, SMALLEST_SCORE, 1 - SMALLEST_SCORE)
    return float(np.sum(np.where(labels, np.log(clipped), np.log1p(-clipped))))
