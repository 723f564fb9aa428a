"""What the tables say of one champion."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from customer_insights.errors import CustomerInsightsError

Row = Mapping[str, Any]
# Rows of each table by its name; a table that is not there has none.
Tables = Mapping[str, Sequence[Row]]

# What a card is read from.
SOURCES = (
    "model_catalog",
    "feature_catalog",
    "label_definitions",
    "model_runs",
    "model_performance",
    "score_calibration",
    "slice_performance",
    "test_row_calibration",
    "protected_slices",
    "feature_importance",
    "recommendation_quality",
    "recommendation_performance",
    "review_sentiment_quality",
)
TRAINED = ("trained_promoted", "trained_rejected")
# It names files and blocks of the documentation.
MODEL_NAME = re.compile(r"[a-z][a-z0-9_]*")


def sorted_runs(tables: Tables) -> list[Row]:
    """The decision log in the order of its decisions."""
    return sorted(tables.get("model_runs", ()), key=lambda run: int(run["decision_number"]))


class Facts:
    """What the tables say of one champion.

    Attributes:
        tables: All of them.
        name: Model.
        version: The version that serves.
        runs: Decisions about the model, oldest first.
        trained: That which trained the version, with the figures of that day.
        catalog: The model's row of model_catalog.

    Raises:
        CustomerInsightsError: the model's name can not name a file.

    """

    def __init__(self, tables: Tables, champion: Row) -> None:
        self.tables = tables
        self.name = str(champion["model_name"])
        self.version = str(champion["model_version"])
        if not MODEL_NAME.fullmatch(self.name):
            raise CustomerInsightsError(
                f"No card can be written of the model {self.name!r}; name it in model_catalog.csv "
                "with small letters, digits and underscores."
            )
        self.runs = [run for run in sorted_runs(tables) if run["model_name"] == self.name]
        own = [run for run in self.runs if run["model_version"] == champion["model_version"]]
        # The figures of the day it was trained; a later decision has those of later rows.
        self.trained: Row = next((run for run in reversed(own) if run["decision"] in TRAINED), {})
        self.catalog: Row = next(
            (row for row in tables.get("model_catalog", ()) if row["model_name"] == self.name), {}
        )

    def of_version(self, name: str) -> list[Row]:
        """Rows of a table that tell of the champion's version."""
        return [
            row
            for row in self.tables.get(name, ())
            if row["model_name"] == self.name and row["model_version"] == self.version
        ]

    def ranking(self) -> list[Row]:
        """What ways to recommend were worth last; none where it is no ranker."""
        rows = self.tables.get("recommendation_quality", ())
        measured = {row["model_version"] for row in rows if row["ranker"] == "model"}
        return list(rows) if self.version in measured else []

    def lists(self) -> list[Row]:
        """What came of the lists that it ranked and that were served; none of another model."""
        return [
            row
            for row in self.tables.get("recommendation_performance", ())
            if row["ranker"] == "model" and row["model_version"] == self.version
        ]

    def languages(self) -> list[Row]:
        """How well the sentiment that it gave agrees with the stars; none of another model."""
        if self.catalog.get("task") != "review_sentiment":
            return []
        rows = self.tables.get("review_sentiment_quality", ())
        return [row for row in rows if row["period"] == "newest"]

    def newest_window(self, name: str, column: str) -> list[Row]:
        """Rows of the newest window in which a column has a value somewhere."""
        rows = self.of_version(name)
        windows = [row["window_start_on"] for row in rows if row.get(column) is not None]
        return [row for row in rows if windows and row["window_start_on"] == max(windows)]

    def json(self, column: str) -> Any:
        """A column of the training's row that holds JSON; empty where it has no value."""
        text = self.trained.get(column)
        return json.loads(text) if text else {}

    def features(self) -> list[Row]:
        """The catalog's row of each feature; of one that is not in it, its name alone."""
        known = {
            row["feature"]: row
            for row in self.tables.get("feature_catalog", ())
            if row["feature_table"] == self.catalog.get("feature_table")
        }
        names = list(self.json("feature_names"))
        return [known.get(name, {"feature": name}) for name in names]
