"""How good a model is on rows it has not seen, and whether it beats what is simpler or older."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from customer_insights.catalog import Feature
from customer_insights.encoding import Encoder, FloatMatrix, fit_encoder
from customer_insights.metrics import (
    RANKING_METRICS,
    UNDEFINED,
    Confusion,
    Floats,
    Interval,
    Labels,
    RankedScores,
    Subjects,
    brier,
    difference,
    interval,
    log_loss,
    resampling_weights,
)
from customer_insights.model import Examples
from customer_insights.settings import Settings


class ScoringModel(Protocol):
    """What can be measured: it scores rows, and calls some of the scores positive."""

    @property
    def threshold(self) -> float:
        """The score from which on a row counts as positive."""

    def score(self, rows: pa.Table, threads: int) -> Floats:
        """Probabilities, shape (rows,)."""


@dataclass(frozen=True)
class Scored:
    """Scores of some rows, and the threshold from which on they count as positive."""

    scores: Floats
    threshold: float | None = None


@dataclass(frozen=True)
class Performance:
    """Metrics of one model on one set of rows; None where a metric is undefined."""

    rows: int
    positives: int
    roc_auc: Interval
    pr_auc: Interval
    f1: Interval
    brier: Interval
    log_loss: float | None
    confusion: Confusion | None

    def metric(self, name: str) -> Interval:
        """A primary metric by name."""
        return {"roc_auc": self.roc_auc, "pr_auc": self.pr_auc, "f1": self.f1}[name]


NO_PERFORMANCE = Performance(0, 0, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, None, None)


@dataclass(frozen=True)
class Comparison:
    """A model measured on some rows, beside others on the same rows and resamples.

    `lead` holds, for each other, how far the model is ahead of it in the primary metric.
    """

    performance: Performance
    lead: dict[str, Interval]


def compare(
    labels: Labels,
    model: Scored,
    others: dict[str, Scored],
    *,
    primary_metric: str,
    replicates: int,
    seed: int,
    subjects: Subjects | None = None,
) -> Comparison:
    """Measure a model, and by how much it is ahead of others, with paired bootstrap intervals.

    Args:
        labels: outcomes, shape (rows,), in key order.
        model: what is measured.
        others: what it is compared with, by name; may be empty.
        primary_metric: the metric of the comparison.
        replicates: number of resamples, the same for all.
        seed: seed of the resampling.
        subjects: shape (rows,), whom or what each row is about (`resampling_weights`).

    """
    rows, positives = len(labels), int(np.sum(labels))
    if rows == 0:
        return Comparison(NO_PERFORMANCE, dict.fromkeys(others, UNDEFINED))
    ranked = RankedScores(labels, model.scores)
    ranked_others = {name: RankedScores(labels, other.scores) for name, other in others.items()}
    squared_errors = (model.scores - labels) ** 2

    def measure_all(weights: Floats | None) -> dict[str, float | None]:
        values = ranked.measure_all(weights, threshold=model.threshold)
        values["brier"] = float(np.average(squared_errors, weights=weights))
        for name, other in ranked_others.items():
            value = other.measure(primary_metric, weights, threshold=others[name].threshold)
            values[f"lead over {name}"] = difference(values[primary_metric], value)
        return values

    point = measure_all(None)
    drawn = resampling_weights(rows, replicates, seed, subjects)
    resampled = [measure_all(weights) for weights in drawn]
    intervals = {
        name: interval(value, [values[name] for values in resampled])
        for name, value in point.items()
    }
    return Comparison(
        performance=Performance(
            rows=rows,
            positives=positives,
            roc_auc=intervals["roc_auc"],
            pr_auc=intervals["pr_auc"],
            f1=intervals["f1"],
            brier=intervals["brier"],
            log_loss=log_loss(labels, model.scores),
            confusion=(
                None
                if model.threshold is None
                else Confusion.at(labels, model.scores, model.threshold)
            ),
        ),
        lead={name: intervals[f"lead over {name}"] for name in others},
    )


@dataclass(frozen=True)
class ConstantBaseline:
    """The same probability for everybody: the positive share of the training rows."""

    rate: float

    def scored(self, rows: int) -> Scored:
        """The constant for each row; everybody is called, which is the constant's best F1."""
        return Scored(np.full(rows, self.rate), threshold=self.rate)

    def brier(self, labels: Labels) -> float | None:
        """Brier score of the constant."""
        return brier(labels, np.full(len(labels), self.rate))


@dataclass(frozen=True)
class SingleFeature:
    """One feature alone as a score, its direction and levels learned from the training rows."""

    encoder: Encoder
    level_rates: Floats | None
    sign: float
    missing: float

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.encoder.features[0].name

    def scores(self, rows: pa.Table) -> Floats:
        """Higher where the positive class is likelier; a missing number comes first or last."""
        codes = self.encoder.encode(rows)[:, 0]
        if self.level_rates is None:
            values = self.sign * codes.astype(np.float64)
        else:
            # The last rate is that of values never seen in training.
            places = np.where(np.isnan(codes), len(self.level_rates) - 1, codes).astype(np.intp)
            values = self.level_rates[places]
        return np.where(np.isnan(values), self.missing, values)


def fit_single_feature(train: Examples, feature: Feature) -> SingleFeature:
    """Learn the direction of a number, or the positive share of each level of a category."""
    encoder = fit_encoder(train.rows, [feature])
    codes = encoder.encode(train.rows)[:, 0]
    if feature.kind == "category":
        rates = _level_rates(codes, train.labels, encoder)
        return SingleFeature(encoder, rates, sign=1.0, missing=-np.inf)
    present = ~np.isnan(codes)
    roc_auc = RankedScores(train.labels[present], codes[present].astype(np.float64)).roc_auc()
    is_likelier_missing = np.sum(train.labels[~present]) > np.mean(train.labels) * np.sum(~present)
    return SingleFeature(
        encoder,
        None,
        sign=-1.0 if roc_auc is not None and roc_auc < 0.5 else 1.0,
        missing=np.inf if is_likelier_missing else -np.inf,
    )


def _level_rates(codes: FloatMatrix, labels: Labels, encoder: Encoder) -> Floats:
    levels = len(encoder.levels[encoder.features[0].name])
    places = np.where(np.isnan(codes), levels, codes).astype(np.intp)
    rows = np.bincount(places, minlength=levels + 1)
    positives = np.bincount(places, weights=labels, minlength=levels + 1)
    overall = float(np.mean(labels))
    # One row's worth of the overall share, so that a level of one row is not 0 or 1.
    return (positives + overall) / (rows + 1.0)


@dataclass(frozen=True)
class Baselines:
    """What any model has to beat, and the features that predict suspiciously well alone.

    `named_features` are those that the catalog names to hold the model against.
    """

    constant: ConstantBaseline
    best_single_feature: SingleFeature
    named_features: tuple[SingleFeature, ...]
    leaking_features: tuple[str, ...]


def fit_baselines(
    train: Examples,
    validation: Examples,
    features: tuple[Feature, ...],
    *,
    primary_metric: str,
    leak_roc_auc: float,
) -> Baselines:
    """Fit the baselines on `train` and choose the best single feature on `validation`.

    A feature leaks where its ROC-AUC on the validation rows is above `leak_roc_auc` and the
    catalog gives no reason for it.
    """
    # F1 needs a threshold; a feature is ranked by how well it orders.
    metric = primary_metric if primary_metric in RANKING_METRICS else "pr_auc"
    measured: list[tuple[float, str, SingleFeature]] = []
    leaking = []
    named = []
    for feature in features:
        single = fit_single_feature(train, feature)
        if feature.is_baseline:
            named.append(single)
        ranked = RankedScores(validation.labels, single.scores(validation.rows))
        measured.append((ranked.measure(metric) or 0.0, feature.name, single))
        roc_auc = ranked.roc_auc()
        if not feature.may_leak and roc_auc is not None and roc_auc > leak_roc_auc:
            leaking.append(feature.name)
    _, _, best = max(measured, key=lambda entry: (entry[0], entry[1]))
    return Baselines(
        constant=ConstantBaseline(float(np.mean(train.labels))),
        best_single_feature=best,
        named_features=tuple(named),
        leaking_features=tuple(leaking),
    )


def single_feature_scored(single: SingleFeature, validation: Examples, rows: pa.Table) -> Scored:
    """A single feature's scores of some rows, its F1 threshold found on the validation rows."""
    ranked = RankedScores(validation.labels, single.scores(validation.rows))
    return Scored(single.scores(rows), threshold=ranked.best_f1_threshold())


def model_scored(model: ScoringModel, rows: pa.Table, settings: Settings) -> Scored:
    """A model's scores of some rows, with its own threshold."""
    return Scored(model.score(rows, settings.threads(rows.num_rows)), threshold=model.threshold)
