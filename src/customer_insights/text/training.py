"""The sentiment model as one of the project's models: trained, gated and logged like any other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from customer_insights.catalog import Feature
from customer_insights.metrics import Floats
from customer_insights.model import Examples
from customer_insights.monitoring.profile import columns_profile
from customer_insights.recipe import Model
from customer_insights.settings import Settings
from customer_insights.text.sentiment import (
    PARAMETERS,
    TEXT,
    RatedTexts,
    SentimentModel,
    fit_sentiment,
    texts_of,
)

RATING = "rating"
IS_FIRST_COPY = "is_first_copy"
# What of a text is watched for drift. Not its marks: texts that many write hold more of them and
# are new but once, so that first copies have fewer as a shop grows older.
DESCRIBED = ("character_count", "detected_language")


class SentimentRecipe:
    """A linear model of a text's n-grams that learns from its stars.

    The yes-no question of its decisions is whether a rating is positive or negative; those between,
    which have no answer, are learned from, too.
    """

    columns: tuple[str, ...] = (RATING, IS_FIRST_COPY)
    keeps_unlabelled = True
    window_settings = ("review_validation_days", "review_test_days")

    def least_rows(self, settings: Settings) -> tuple[str, int]:
        """As many rows as `min_rated_texts` asks for."""
        return "min_rated_texts", settings.min_rated_texts

    def parameters(self, settings: Settings) -> dict[str, Any]:
        """How it is learned, and from how many texts at most."""
        return PARAMETERS | {
            "max_rated_characters": settings.max_rated_characters,
            "max_rated_texts": settings.max_rated_texts,
        }

    def measured_alone(self, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        """What describes a text, such as its length."""
        return tuple(feature for feature in features if feature.kind != "text")

    def fit(
        self,
        train: Examples,
        validation: Examples,
        features: tuple[Feature, ...],  # noqa: ARG002  (it reads the text)
        settings: Settings,  # noqa: ARG002
    ) -> SentimentModel:
        """A model of the texts of both."""
        return fit_sentiment(_rated(train), _rated(validation))

    def watched(self, rows: pa.Table) -> pa.Table:
        """The first copy of each text: a text is scored once, and what is scored is watched."""
        return rows.filter(rows[IS_FIRST_COPY])

    def profile(
        self,
        model: Model,
        features: tuple[Feature, ...],
        train: Examples,
        test: Examples,
        test_scores: Floats,
    ) -> dict[str, str]:
        """How its scores, the labels and what describes a text were spread."""
        # Its n-grams are no columns that could drift.
        del model
        is_first = train.rows[IS_FIRST_COPY].combine_chunks().to_numpy(zero_copy_only=False)
        # Of texts that are older than all that are learned from, there are copies alone.
        if is_first.any():
            train = Examples(self.watched(train.rows), train.labels[is_first.astype(np.bool_)])
        described = [feature for feature in features if feature.name in DESCRIBED]
        return columns_profile(described, {}, train, test, test_scores).columns()

    def importance(
        self, model: Model, test: Examples, test_scores: Floats, settings: Settings
    ) -> str | None:
        """None: n-grams share places by their hashes, and no place has a name to show."""
        del model, test, test_scores, settings
        return None

    def load(self, artifact: bytes, sha256: str) -> SentimentModel:
        """A stored model."""
        return SentimentModel.from_bytes(artifact, sha256)


SENTIMENT = SentimentRecipe()


def _rated(examples: Examples) -> RatedTexts:
    rows = examples.rows
    if examples.others is not None:
        columns = [TEXT, RATING]
        rows = pa.concat_tables([rows.select(columns), examples.others.select(columns)])
    return rated_texts(rows)


def rated_texts(rows: pa.Table) -> RatedTexts:
    """The n-grams and stars of some rows."""
    stars = rows[RATING].cast(pa.float64()).to_numpy()
    return RatedTexts.of(texts_of(rows[TEXT]), np.asarray(stars, dtype=np.float64))
