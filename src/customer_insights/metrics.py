"""Metrics of a binary classifier, weighted, fast enough to resample, null where they mean nothing.

Values equal scikit-learn's (`roc_auc_score`, `average_precision_score`, ...), which the tests
check. They are written anew because a bootstrap calls them thousands of times on the same scores:
the scores are sorted once, and each resample is a weight per row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
Subjects = npt.NDArray[np.intp]

RANKING_METRICS = ("roc_auc", "pr_auc")
PRIMARY_METRICS = (*RANKING_METRICS, "f1")


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None

    def columns(self, name: str) -> dict[str, float | None]:
        """The value and its bounds as columns `name`, `name_low` and `name_high`."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


UNDEFINED = Interval(None, None, None)


class RankedScores:
    """Labels in the order of falling scores, ready to be measured under any row weights.

    Args:
        labels: shape (n,), true for the positive class.
        scores: shape (n,), higher is more likely positive; equal scores count as ties.

    """

    def __init__(self, labels: Labels, scores: Floats) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._is_positive = labels[self._order].astype(np.float64)
        # The last row of each group of equal scores: only there does a threshold lie.
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], len(ordered) > 0))
        self._ordered = ordered

    def _cumulated(self, weights: Floats | None) -> tuple[Floats, Floats]:
        """Weight of the positives, and of all rows, down to the end of each group of ties."""
        positive, total = self._is_positive, np.ones_like(self._is_positive)
        if weights is not None:
            total = weights[self._order]
            positive = positive * total
        return np.cumsum(positive)[self._ends], np.cumsum(total)[self._ends]

    def roc_auc(self, weights: Floats | None = None) -> float | None:
        """Area under the ROC curve; None with one class only."""
        return _roc_auc(*self._cumulated(weights))

    def pr_auc(self, weights: Floats | None = None) -> float | None:
        """Average precision; None with one class only."""
        return _pr_auc(*self._cumulated(weights))

    def f1(self, weights: Floats | None = None, *, threshold: float) -> float | None:
        """F1 of calling positive what scores at least `threshold`; None without positives."""
        return _f1(*self._cumulated(weights), self._called(threshold))

    def _called(self, threshold: float) -> int:
        """Number of groups of ties that score at least `threshold`."""
        return int(np.searchsorted(-self._ordered[self._ends], -threshold, side="right"))

    def best_f1_threshold(self) -> float:
        """The score from which on calling positive maximises F1; the highest of equals."""
        true_positives, above = self._cumulated(None)
        f1 = 2 * true_positives / (above + true_positives[-1])
        return float(self._ordered[self._ends[int(np.argmax(f1))]])

    def measure_all(
        self, weights: Floats | None = None, *, threshold: float | None = None
    ) -> dict[str, float | None]:
        """PRIMARY_METRICS by name, from one pass; `f1` is None without a threshold."""
        cumulated = self._cumulated(weights)
        return {
            "roc_auc": _roc_auc(*cumulated),
            "pr_auc": _pr_auc(*cumulated),
            "f1": None if threshold is None else _f1(*cumulated, self._called(threshold)),
        }

    def measure(
        self, metric: str, weights: Floats | None = None, *, threshold: float | None = None
    ) -> float | None:
        """One of PRIMARY_METRICS by name; `f1` needs a threshold, and is None without one."""
        if metric == "roc_auc":
            return self.roc_auc(weights)
        if metric == "pr_auc":
            return self.pr_auc(weights)
        if metric == "f1":
            return None if threshold is None else self.f1(weights, threshold=threshold)
        raise ValueError(f"'{metric}' is not one of {', '.join(PRIMARY_METRICS)}.")


def _roc_auc(true_positives: Floats, above: Floats) -> float | None:
    false_positives = above - true_positives
    if not len(above) or true_positives[-1] <= 0 or false_positives[-1] <= 0:
        return None
    heights = true_positives.copy()
    heights[1:] += true_positives[:-1]
    area = np.sum(heights * np.diff(false_positives, prepend=0.0)) / 2
    return float(area / (true_positives[-1] * false_positives[-1]))


def _pr_auc(true_positives: Floats, above: Floats) -> float | None:
    if not len(above) or true_positives[-1] <= 0 or true_positives[-1] >= above[-1]:
        return None
    gained = np.diff(true_positives, prepend=0.0)
    precision = true_positives / np.maximum(above, 1e-300)
    return float(np.sum(gained * precision) / true_positives[-1])


def _f1(true_positives: Floats, above: Floats, called: int) -> float | None:
    if not len(above) or true_positives[-1] <= 0:
        return None
    if called == 0:
        return 0.0
    return float(2 * true_positives[called - 1] / (above[called - 1] + true_positives[-1]))


def resampling_weights(
    rows: int, replicates: int, seed: int, subjects: Subjects | None = None
) -> Iterator[Floats]:
    """How often each row is drawn in each bootstrap resample: `replicates` arrays of shape (rows,).

    Models that are measured under the same weights are compared in pairs.

    Args:
        rows: number of rows.
        replicates: number of resamples.
        seed: seed of the drawing.
        subjects: shape (rows,), the number of whom or what each row is about, from 0 on. All rows
            of a subject are drawn together (the cluster bootstrap: Davison and Hinkley, Bootstrap
            Methods and their Application, 1997, section 3.8), because rows that are alike tell
            less than as many others. None: each row stands for itself.

    """
    random = np.random.default_rng(seed)
    units = rows if subjects is None else int(np.max(subjects, initial=-1)) + 1
    for _ in range(replicates):
        drawn = random.integers(0, units, units)
        weights = np.bincount(drawn, minlength=units).astype(np.float64)
        yield weights if subjects is None else weights[subjects]


def interval(value: float | None, replicates: Sequence[float | None]) -> Interval:
    """Percentile interval (Efron, Tibshirani 1993, chapter 13); undefined replicates left out."""
    defined = [replicate for replicate in replicates if replicate is not None]
    if value is None or len(defined) < 2:
        return Interval(value, None, None)
    low, high = np.quantile(defined, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def difference(one: float | None, other: float | None) -> float | None:
    """`one - other`, None where either is."""
    return None if one is None or other is None else one - other


def unpaired_difference(one: Interval, other: Interval) -> Interval:
    """`one - other` of two values that were measured on different rows; None where either is.

    The chance of both counts: an end of the interval lies as far from the difference as the root of
    the squared distances of the two ends that lead there (MOVER: Zou and Donner, Construction of
    confidence limits about effect measures, Statistics in Medicine 2008).
    """
    if one.value is None or other.value is None:
        return UNDEFINED
    value = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return Interval(value, None, None)
    return Interval(
        value,
        low=value - math.hypot(one.value - one.low, other.high - other.value),
        high=value + math.hypot(one.high - one.value, other.value - other.low),
    )


def brier(labels: Labels, scores: Floats) -> float | None:
    """Mean squared difference of probability and outcome; None without rows."""
    return float(np.mean((scores - labels) ** 2)) if len(labels) else None


def log_loss(labels: Labels, scores: Floats) -> float | None:
    """Mean negative log-likelihood, in nats; None without rows."""
    if not len(labels):
        return None
    tiny = np.finfo(np.float64).eps
    likelihood = np.where(labels, scores, 1.0 - scores)
    return float(-np.mean(np.log(np.clip(likelihood, tiny, 1.0))))


@dataclass(frozen=True)
class Confusion:
    """Counts of a decision at a threshold, and what follows from them."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @classmethod
    def at(cls, labels: Labels, scores: Floats, threshold: float) -> Confusion:
        """Count the decisions `score >= threshold`."""
        called = scores >= threshold
        return cls(
            true_positives=int(np.sum(called & labels)),
            false_positives=int(np.sum(called & ~labels)),
            false_negatives=int(np.sum(~called & labels)),
            true_negatives=int(np.sum(~called & ~labels)),
        )

    @property
    def precision(self) -> float | None:
        """Share of called rows that are positive; None where nothing is called."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of positive rows that are called; None without positives."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None without positives."""
        if self.true_positives + self.false_negatives == 0:
            return None
        called = self.true_positives + self.false_positives
        return 2 * self.true_positives / (called + self.true_positives + self.false_negatives)

    @property
    def accuracy(self) -> float | None:
        """Share of rows decided rightly; None without rows."""
        right = self.true_positives + self.true_negatives
        return _ratio(right, right + self.false_positives + self.false_negatives)

    @property
    def mcc(self) -> float | None:
        """Matthews correlation coefficient, -1 to 1; None where a margin is empty."""
        tp, fp, fn, tn = (
            float(count)
            for count in (
                self.true_positives,
                self.false_positives,
                self.false_negatives,
                self.true_negatives,
            )
        )
        margins = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return (tp * tn - fp * fn) / margins**0.5 if margins > 0 else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
