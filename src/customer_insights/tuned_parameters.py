"""Parameters that a search has found, and with which of them the next model is trained.

What a search found is a suggestion: the next build trains a challenger with it once, and the gate
decides. A challenger that lost is not tried again; until another search finds something else,
training goes on with what the champion was trained with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from customer_insights.engine import Relation
from customer_insights.model import PARAMETERS

# The parameter of a decision that names the search behind the others.
STUDY = "tuning_study"


@dataclass(frozen=True)
class Range:
    """Where a parameter of the trees is searched, both ends included."""

    name: str
    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False


# What XGBoost's own notes name first: how complex trees are, and what is random about them
# (https://xgboost.readthedocs.io/en/stable/tutorials/param_tuning.html). The number of rounds is
# not here: it is found on validation rows for each trial, as in training.
SEARCH_SPACE = (
    # Deeper trees learn the rows of a small shop by heart.
    Range("max_depth", 2, 6, is_whole=True),
    # Slower needs more than MAX_ROUNDS; faster is over before it can be stopped in time.
    Range("learning_rate", 0.02, 0.2, is_log=True),
    # The least sum of second derivatives in a leaf; with rare positives 50 is hundreds of rows.
    Range("min_child_weight", 1.0, 50.0, is_log=True),
    # Less than half of the rows a tree and the positives of a small shop are a handful.
    Range("subsample", 0.5, 1.0),
    # Low where one feature (page values, recency) would otherwise begin every tree.
    Range("colsample_bytree", 0.3, 1.0),
    # From hardly any shrinking of leaves to much.
    Range("reg_lambda", 0.1, 30.0, is_log=True),
)
DEFAULTS = {searched.name: PARAMETERS[searched.name] for searched in SEARCH_SPACE}


@dataclass(frozen=True)
class Tuned:
    """Parameters of the trees, and the search that found them."""

    study_id: str
    values: Mapping[str, Any]

    def parameters(self) -> dict[str, Any]:
        """What a decision says of them."""
        return {**self.values, STUDY: self.study_id}


def read_best(tuning_trials: Relation | None) -> dict[str, Tuned]:
    """What the newest search of each model found best, by model; empty where nothing was searched.

    Args:
        tuning_trials: all trials of all searches; None where this kind of model is not tuned.

    """
    if tuning_trials is None:
        return {}
    columns = ("model_name", "study_number", "study_id", "parameters", "is_best")
    rows = tuning_trials.select(*columns).sorted_by("model_name", "study_number").read()
    return {
        row["model_name"]: Tuned(row["study_id"], json.loads(row["parameters"]))
        for row in rows.to_pylist()
        if row["is_best"]
    }


def study_of(parameters: str) -> str | None:
    """The search behind the parameters of a decision; None behind those of the project."""
    study: str | None = json.loads(parameters).get(STUDY)
    return study


def to_train_with(
    best: Tuned | None, past: Sequence[Mapping[str, Any]], served: Mapping[str, Any] | None
) -> Tuned | None:
    """What the next model is trained with; None: the parameters of the project.

    Args:
        best: what the newest search found; None where nothing was searched.
        past: earlier decisions on this model.
        served: the one of them that trained what serves; None where nothing does.

    """
    serving = _tuned(served["parameters"]) if served else None
    if best is None or best.values == (serving.values if serving else DEFAULTS):
        return serving
    is_tried = any(
        entry["artifact"] is not None and study_of(entry["parameters"]) == best.study_id
        for entry in past
    )
    return serving if is_tried else best


def _tuned(parameters: str) -> Tuned | None:
    stored = json.loads(parameters)
    if STUDY not in stored:
        return None
    return Tuned(stored[STUDY], {name: stored[name] for name in DEFAULTS if name in stored})
