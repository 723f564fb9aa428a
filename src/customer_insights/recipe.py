"""What training asks of a kind of model: how it is learned, stored and read again.

A further kind of model is a further class with these methods; windows, triggers, gate and decision
log stay as they are (`customer_insights.training`).
"""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa

from customer_insights.catalog import Feature
from customer_insights.engine import Input
from customer_insights.importance import feature_importance
from customer_insights.metrics import Floats
from customer_insights.model import (
    CALENDAR_DROPOUT,
    EARLY_STOPPING_ROUNDS,
    MAX_ROUNDS,
    PARAMETERS,
    Examples,
    TrainedModel,
    fit,
)
from customer_insights.monitoring.profile import training_profile
from customer_insights.settings import Settings
from customer_insights.tuned_parameters import Tuned


class Model(Protocol):
    """A trained model of a yes-no question."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The columns that it reads."""

    @property
    def threshold(self) -> float:
        """The score from which on the answer is yes."""

    @property
    def rounds(self) -> int | None:
        """Number of boosting rounds; None where it does not boost."""

    def score(self, rows: pa.Table | pa.RecordBatch, threads: int) -> Floats:
        """Probabilities of yes, shape (rows,)."""

    def to_bytes(self) -> bytes:
        """Itself, for `Recipe.load` to read."""


class Recipe(Protocol):
    """How a kind of model is learned.

    `columns` are read beside label and features. `keeps_unlabelled` says that rows without an
    answer are learned from, too (`Examples.others`). `window_settings` are the settings that say
    how many days of rows to validate and to test on.
    """

    columns: tuple[str, ...]
    keeps_unlabelled: bool
    window_settings: tuple[str, str]

    def least_rows(self, settings: Settings) -> tuple[str, int]:
        """Name and value of the setting that says how many rows to train on are enough."""

    def parameters(self, settings: Settings) -> dict[str, Any]:
        """All that what is learned depends on beside the data, as values of JSON."""

    def measured_alone(self, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        """The features that a single-feature baseline can be made of."""

    def fit(
        self,
        train: Examples,
        validation: Examples,
        features: tuple[Feature, ...],
        settings: Settings,
    ) -> Model:
        """A model of these examples, which are in key order."""

    def watched(self, rows: pa.Table) -> pa.Table:
        """Those of some rows that monitoring looks at."""

    def profile(
        self,
        model: Model,
        features: tuple[Feature, ...],
        train: Examples,
        test: Examples,
        test_scores: Floats,
    ) -> dict[str, str]:
        """What later rows are held against, as columns of the decision log."""

    def importance(
        self, model: Model, test: Examples, test_scores: Floats, settings: Settings
    ) -> str | None:
        """How far each feature moves the scores of test rows, as JSON; None where others tell."""

    def load(self, artifact: bytes, sha256: str) -> Model:
        """A stored model.

        Raises:
            ArtifactError: the bytes are not those that were stored.

        """


class Trees:
    """Boosted trees of columns (`customer_insights.model`), grown as a search found best or not.

    Args:
        tuned: what a search found; None where nothing was searched for.
        explained_rows: test rows that training explains at most, for the importance of features;
            none where scores are explained one by one (`customer_insights.explaining`).

    """

    columns: tuple[str, ...] = ()
    keeps_unlabelled = False
    window_settings = ("validation_days", "test_days")

    def __init__(self, tuned: Tuned | None = None, explained_rows: int = 0) -> None:
        self.tuned = tuned
        self.explained_rows = explained_rows

    def with_parameters(self, tuned: Tuned) -> Trees:
        """The same, grown as a search found best."""
        return Trees(tuned, self.explained_rows)

    def least_rows(self, settings: Settings) -> tuple[str, int]:
        """As many rows as `min_train_rows` asks for."""
        return "min_train_rows", settings.min_train_rows

    def parameters(self, settings: Settings) -> dict[str, Any]:
        """How trees grow; with parameters that were searched, the search that found them, too."""
        return (
            PARAMETERS
            | {
                "calendar_dropout": CALENDAR_DROPOUT,
                "early_stopping_rounds": EARLY_STOPPING_ROUNDS,
                "max_rounds": MAX_ROUNDS,
                "refit_on_validation": settings.refit_on_validation,
                "seed": settings.random_seed,
            }
            | (self.tuned.parameters() if self.tuned else {})
        )

    def measured_alone(self, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        """All of them."""
        return features

    def fit(
        self,
        train: Examples,
        validation: Examples,
        features: tuple[Feature, ...],
        settings: Settings,
    ) -> TrainedModel:
        """Trees of the train rows; the validation rows say when to stop."""
        return fit(
            train,
            validation,
            features,
            seed=settings.random_seed,
            threads=settings.threads(len(train.labels)),
            refit_on_validation=settings.refit_on_validation,
            parameters=self.tuned.values if self.tuned else None,
        )

    def watched(self, rows: pa.Table) -> pa.Table:
        """All of them."""
        return rows

    def profile(
        self,
        model: Model,
        features: tuple[Feature, ...],
        train: Examples,
        test: Examples,
        test_scores: Floats,
    ) -> dict[str, str]:
        """How features, scores and labels were spread (`customer_insights.monitoring.profile`)."""
        # The model has them.
        del features
        if not isinstance(model, TrainedModel):
            raise TypeError(f"{type(model).__name__} was not made by this recipe.")
        return training_profile(model, train, test, test_scores).columns()

    def importance(
        self, model: Model, test: Examples, test_scores: Floats, settings: Settings
    ) -> str | None:
        """Mean size of each feature's contribution to high scores, log-odds."""
        if not isinstance(model, TrainedModel):
            raise TypeError(f"{type(model).__name__} was not made by this recipe.")
        return feature_importance(
            model, test.rows, test_scores, self.explained_rows, settings.explain_min_decile
        )

    def load(self, artifact: bytes, sha256: str) -> TrainedModel:
        """Stored trees."""
        return TrainedModel.from_bytes(artifact, sha256)


TREES = Trees()
# Candidates are many, and each explanation takes as long as hundreds of scores.
RANKER = Trees(explained_rows=500)
