"""A trained model: boosted trees, calibration, threshold, cut points, and how they are stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xgboost as xgb
from sklearn.linear_model import LogisticRegression

import customer_insights.blas  # noqa: F401  (limits its threads)
from customer_insights.catalog import Feature
from customer_insights.encoding import Encoder, FloatMatrix, fit_encoder
from customer_insights.engine import Input
from customer_insights.errors import ArtifactError
from customer_insights.metrics import Floats, Labels, RankedScores, Subjects

# Shallow and slow to learn: on shop data deeper trees fit the training period, not the next one.
PARAMETERS: dict[str, Any] = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "max_depth": 4,
    "learning_rate": 0.05,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
    "max_cat_to_onehot": 32,
}
MAX_ROUNDS = 2000
EARLY_STOPPING_ROUNDS = 50
# Share of training rows in which a calendar feature is hidden.
CALENDAR_DROPOUT = 0.5
CALIBRATION_FOLDS = 5
DECILE_EDGES = np.linspace(0.1, 0.9, 9)
ATTRIBUTE = "customer_insights"


@dataclass(frozen=True)
class TrainedModel:
    """Trees that give log-odds, and all that turns them into scores, deciles and decisions.

    `slope` and `intercept` calibrate (Platt 1999): score = sigmoid(slope * log-odds + intercept).
    `cut_points` are the nine decile edges of the validation scores.
    """

    encoder: Encoder
    booster: xgb.Booster
    slope: float
    intercept: float
    threshold: float
    cut_points: tuple[float, ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The columns that it reads."""
        return tuple(Input(feature.name, feature.kind) for feature in self.encoder.features)

    @property
    def rounds(self) -> int:
        """Number of boosting rounds."""
        return int(self.booster.num_boosted_rounds())

    def score(self, rows: pa.Table | pa.RecordBatch, threads: int) -> Floats:
        """Calibrated probabilities, shape (rows,)."""
        return self.score_matrix(self.encoder.encode(rows), threads)

    def score_matrix(self, matrix: FloatMatrix, threads: int) -> Floats:
        """Calibrated probabilities of encoded rows, shape (rows,)."""
        return _sigmoid(self.slope * _margin(self.booster, matrix, threads) + self.intercept)

    def decile(self, scores: Floats) -> npt.NDArray[np.int32]:
        """Decile of each score among the validation scores: 1 (lowest) to 10."""
        edges = np.asarray(self.cut_points)
        return (np.searchsorted(edges, scores, side="right") + 1).astype(np.int32)

    def contributions(self, rows: pa.Table | pa.RecordBatch, threads: int) -> Floats:
        """What each feature adds to a row's log-odds, shape (rows, features).

        Exact TreeSHAP values (Lundberg et al. 2020), scaled by the calibration's slope, so that a
        row's contributions and a constant add up to the log-odds of its score.
        """
        matrix = self.encoder.encode(rows)
        if not len(matrix):
            return np.empty((0, len(self.encoder.features)))
        data = xgb.DMatrix(
            matrix,
            feature_names=self.encoder.feature_names,
            feature_types=self.encoder.feature_types,
            enable_categorical=True,
            nthread=threads,
        )
        self.booster.set_param({"nthread": threads})
        shap = self.booster.predict(data, pred_contribs=True)
        return self.slope * shap[:, :-1].astype(np.float64)

    def to_bytes(self) -> bytes:
        """The model as XGBoost's UBJSON, everything else in one of its attributes."""
        document = {
            "features": [asdict(feature) for feature in self.encoder.features],
            "levels": {name: list(levels) for name, levels in self.encoder.levels.items()},
            "slope": self.slope,
            "intercept": self.intercept,
            "threshold": self.threshold,
            "cut_points": list(self.cut_points),
        }
        booster = self.booster.copy()
        booster.set_attr(**{ATTRIBUTE: json.dumps(document, sort_keys=True)})
        return bytes(booster.save_raw(raw_format="ubj"))

    @classmethod
    def from_bytes(cls, artifact: bytes, sha256: str) -> TrainedModel:
        """Load a stored model.

        Raises:
            ArtifactError: the bytes are not those that were stored.

        """
        if artifact_hash(artifact) != sha256:
            raise ArtifactError(
                f"The stored model with sha256 {sha256} was changed after it was written; restore "
                "the table of trained models from a backup, or delete its row to train anew."
            )
        booster = xgb.Booster()
        booster.load_model(bytearray(artifact))
        document = json.loads(booster.attr(ATTRIBUTE) or "{}")
        return cls(
            encoder=Encoder(
                features=tuple(Feature(**feature) for feature in document["features"]),
                levels={name: tuple(levels) for name, levels in document["levels"].items()},
            ),
            booster=booster,
            slope=document["slope"],
            intercept=document["intercept"],
            threshold=document["threshold"],
            cut_points=tuple(document["cut_points"]),
        )


def artifact_hash(artifact: bytes) -> str:
    """SHA-256 of a stored model, in hexadecimal."""
    return hashlib.sha256(artifact).hexdigest()


def is_whole(row: Mapping[str, Any]) -> bool:
    """Whether the model that a row of a decision log holds is the one that was stored there."""
    artifact = row["artifact"]
    return artifact is not None and artifact_hash(artifact) == row["artifact_sha256"]


def check_version(row: Mapping[str, Any]) -> None:
    """Stop where the model that a decision stored is not as it was.

    Args:
        row: of a decision log, with model_name, model_version, artifact_sha256 and artifact.

    Raises:
        ArtifactError: its bytes were changed, or are gone.

    """
    if not is_whole(row):
        raise ArtifactError(
            f"Version {row['model_version']} of {row['model_name']} was changed after it was "
            f"written with sha256 {row['artifact_sha256']}: let an earlier version serve "
            "(dbt run-operation rollback_model), or restore the row of the decision log from a "
            f"backup; without either, delete all that {row['model_name']} has in the decision "
            "log, the scores and the explanations, and the next build trains anew."
        )


def newest_trained(
    decisions: Sequence[dict[str, Any]], model_name: str, model_version: str
) -> dict[str, Any]:
    """The decision that trained a version; the same trees can be trained twice, then the newest.

    Args:
        decisions: rows of a decision log about the model, in their order.
        model_name: the model.
        model_version: the version that serves.

    Raises:
        ArtifactError: none of them did.

    """
    for row in reversed(decisions):
        if row["model_version"] == model_version and row["artifact_sha256"] is not None:
            return row
    raise ArtifactError(
        f"Version {model_version} of {model_name} serves, but no decision holds it: restore the "
        "decision log from a backup."
    )


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to measure on: features, and labels of shape (rows,).

    `others` are rows of the same split whose label is unknown, where the model learns from these.
    `subjects` has shape (rows,): the number of the visitor, customer or product that each row is
    about; None where each row stands for itself.
    """

    rows: pa.Table
    labels: Labels
    others: pa.Table | None = None
    subjects: Subjects | None = None

    @property
    def smaller_class(self) -> int:
        """Rows of the rarer class."""
        positives = int(np.sum(self.labels))
        return min(positives, len(self.labels) - positives)


def fit(
    train: Examples,
    validation: Examples,
    features: tuple[Feature, ...],
    *,
    seed: int,
    threads: int,
    refit_on_validation: bool = False,
    parameters: Mapping[str, Any] | None = None,
) -> TrainedModel:
    """Fit trees on `train`; rounds, calibration and threshold on `validation`.

    Rows must be in key order: another order gives another model.

    Args:
        train: rows to fit, both classes present.
        validation: later rows, both classes present.
        features: columns to use.
        seed: seed of row and column sampling.
        threads: XGBoost threads; the result does not depend on them.
        refit_on_validation: fit again on both, with the rounds found. Calibration and threshold
            then come from models that did not see the row they score: a calibration found before
            the refit would correct the model for what the refit has already learned.
        parameters: of the trees, in place of those of PARAMETERS with their names.

    """
    encoder = fit_encoder(train.rows, features)
    grown = {**PARAMETERS, **(parameters or {}), "seed": seed, "nthread": threads}
    fitting = Fitting(encoder, grown, seed, threads)
    train_matrix, validation_matrix = encoder.encode(train.rows), encoder.encode(validation.rows)
    booster = fitting.with_early_stopping(
        train_matrix, train.labels, validation_matrix, validation.labels
    )
    if refit_on_validation:
        both = np.concatenate([train_matrix, validation_matrix])
        labels = np.concatenate([train.labels, validation.labels])
        rounds = booster.num_boosted_rounds()
        margin = fitting.held_out_margins(both, labels, len(train.labels), rounds)
        booster = fitting.for_rounds(both, labels, rounds)
    else:
        margin = _margin(booster, validation_matrix, threads)
    slope, intercept = _calibrate(margin, validation.labels)
    scores = _sigmoid(slope * margin + intercept)
    return TrainedModel(
        encoder=encoder,
        booster=booster,
        slope=slope,
        intercept=intercept,
        threshold=RankedScores(validation.labels, scores).best_f1_threshold(),
        cut_points=tuple(float(edge) for edge in np.quantile(scores, DECILE_EDGES)),
    )


@dataclass(frozen=True)
class Fitting:
    """How trees are grown: the same for every fit of one model."""

    encoder: Encoder
    parameters: dict[str, Any]
    seed: int
    threads: int

    def with_early_stopping(
        self, matrix: FloatMatrix, labels: Labels, held_out: FloatMatrix, held_out_labels: Labels
    ) -> xgb.Booster:
        """Grow until the held-out loss stops falling; keep the rounds up to its minimum."""
        fitted = self._without_calendar(matrix, labels)
        booster = xgb.train(
            self.parameters,
            fitted,
            num_boost_round=MAX_ROUNDS,
            evals=[(self._data(held_out, held_out_labels, reference=fitted), "validation")],
            early_stopping_rounds=EARLY_STOPPING_ROUNDS,
            verbose_eval=False,
        )
        return booster[: booster.best_iteration + 1]

    def for_rounds(self, matrix: FloatMatrix, labels: Labels, rounds: int) -> xgb.Booster:
        """Grow for a number of rounds."""
        data = self._without_calendar(matrix, labels)
        return xgb.train(self.parameters, data, num_boost_round=rounds)

    def held_out_margins(
        self, matrix: FloatMatrix, labels: Labels, held_out_from: int, rounds: int
    ) -> Floats:
        """Log-odds of the rows from `held_out_from` on, each by a model that did not see it."""
        margins = np.empty(len(labels) - held_out_from)
        for fold in range(CALIBRATION_FOLDS):
            held_out = np.zeros(len(labels), dtype=np.bool_)
            held_out[held_out_from + fold :: CALIBRATION_FOLDS] = True
            booster = self.for_rounds(matrix[~held_out], labels[~held_out], rounds)
            margins[fold::CALIBRATION_FOLDS] = _margin(booster, matrix[held_out], self.threads)
        return margins

    def _without_calendar(self, matrix: FloatMatrix, labels: Labels) -> xgb.QuantileDMatrix:
        """Training data whose calendar features are missing in half of the rows, by the seed.

        A month to come is one that training has not seen and reads as missing; this is how the
        trees learn what to do then, while a month that returns is still known.
        """
        calendar = [n for n, feature in enumerate(self.encoder.features) if feature.is_calendar]
        hidden = np.random.default_rng(self.seed).random(len(matrix)) < CALENDAR_DROPOUT
        # Hidden in place and put back: a copy of the matrix would be the largest thing in memory.
        kept = matrix[:, calendar]
        for position in calendar:
            matrix[hidden, position] = np.nan
        data = self._data(matrix, labels)
        matrix[:, calendar] = kept
        return data

    def _data(
        self, matrix: FloatMatrix, labels: Labels, reference: xgb.DMatrix | None = None
    ) -> xgb.QuantileDMatrix:
        return xgb.QuantileDMatrix(
            matrix,
            labels.astype(np.float32),
            ref=reference,
            feature_names=self.encoder.feature_names,
            feature_types=self.encoder.feature_types,
            enable_categorical=True,
            nthread=self.threads,
        )


def _margin(booster: xgb.Booster, matrix: FloatMatrix, threads: int) -> Floats:
    if not len(matrix):
        return np.empty(0)
    booster.set_param({"nthread": threads})
    margin = booster.inplace_predict(matrix, predict_type="margin", validate_features=False)
    return np.asarray(margin, dtype=np.float64)


def _calibrate(margin: Floats, labels: Labels) -> tuple[float, float]:
    # No penalty: two numbers are fitted on hundreds of rows.
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(margin[:, None], labels)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _sigmoid(log_odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-log_odds))
