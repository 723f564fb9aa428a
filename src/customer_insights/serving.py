"""Which versions serve, and what they have scored: read from the decision log."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from customer_insights.engine import Relation
from customer_insights.model import (
    TrainedModel,
    artifact_hash,
    check_version,
    newest_trained,
)

WINDOWS = ("train_to_on", "validation_from_on", "validation_to_on", "test_from_on", "test_to_on")
ROLES = ("in_sample", "purged", "validation", "purged", "test", "new")


@dataclass(frozen=True)
class ServingModel:
    """The serving version of a model, and the windows it was trained on."""

    model_name: str
    model_version: str
    model: TrainedModel
    train_to_on: date
    validation_from_on: date
    validation_to_on: date
    test_from_on: date
    test_to_on: date

    def to_json(self) -> dict[str, str]:
        """Itself as texts, the model with its hash."""
        artifact = self.model.to_bytes()
        return {
            "model_name": self.model_name,
            "model_version": self.model_version,
            "artifact": b64encode(artifact).decode(),
            "artifact_sha256": artifact_hash(artifact),
            **{name: getattr(self, name).isoformat() for name in WINDOWS},
        }

    @classmethod
    def from_json(cls, written: Mapping[str, str]) -> ServingModel:
        """What `to_json` wrote.

        Raises:
            ArtifactError: the model is not the one that was written.

        """
        return cls(
            model_name=written["model_name"],
            model_version=written["model_version"],
            model=TrainedModel.from_bytes(
                b64decode(written["artifact"]), written["artifact_sha256"]
            ),
            **{name: date.fromisoformat(written[name]) for name in WINDOWS},
        )

    def scored_from(self, rescore_days: int) -> date:
        """First day that this version scores; fixed, so that later builds find nothing new."""
        return self.test_to_on - timedelta(days=rescore_days - 1)

    def sample_role(self, days: pa.Array) -> pa.Array:
        """What rows of these days were to this version: one of ROLES.

        Days between two windows are purged: their label windows reach into the later one.
        Days are dates, or texts like 2024-06-30.
        """
        day = timedelta(days=1)
        edges = np.array(
            [
                self.train_to_on,
                self.validation_from_on - day,
                self.validation_to_on,
                self.test_from_on - day,
                self.test_to_on,
            ],
            dtype="datetime64[D]",
        )
        numpy_days: npt.NDArray[np.datetime64] = (
            days.cast(pa.date32()).to_numpy(zero_copy_only=False).astype("datetime64[D]")
        )
        places = np.searchsorted(edges, numpy_days, side="left")
        return pc.take(pa.array(ROLES), pa.array(places))


def serving_models(trained: Relation) -> list[ServingModel]:
    """The version of each model that serves after its newest decision; models without one left out.

    Args:
        trained: the decision log with its artifacts.

    Raises:
        ArtifactError: a stored model was changed.

    """
    return [
        _model(_trained_row(trained, model_name, versions[-1]))
        for model_name, versions in sorted(_champions(trained).items())
    ]


def serving_and_replaced(trained: Relation) -> list[tuple[ServingModel, ServingModel | None]]:
    """Each of `serving_models`, with the version that it replaced; None where there is none.

    A version that was taken back for an earlier one is left out: it was tested on later rows.

    Args:
        trained: the decision log with its artifacts.

    Raises:
        ArtifactError: a stored model was changed.

    """
    found = []
    for model_name, versions in sorted(_champions(trained).items()):
        serving = _model(_trained_row(trained, model_name, versions[-1]))
        replaced = None
        earlier = [version for version in versions if version != versions[-1]]
        if earlier:
            row = _trained_row(trained, model_name, earlier[-1])
            replaced = _model(row) if row["test_to_on"] < serving.test_to_on else None
        found.append((serving, replaced))
    return found


def _champions(trained: Relation) -> dict[str, list[str]]:
    """The version that served after each decision that named one, in their order, by model."""
    log = (
        trained.select("model_name", "decision_number", "model_version", "is_champion")
        .sorted_by("model_name", "decision_number")
        .read()
        .to_pylist()
    )
    found: dict[str, list[str]] = {}
    for row in log:
        if row["is_champion"]:
            found.setdefault(row["model_name"], []).append(row["model_version"])
    return found


def _trained_row(trained: Relation, model_name: str, model_version: str) -> dict[str, Any]:
    rows = (
        trained.equal_to("model_name", model_name)
        .equal_to("model_version", model_version)
        .sorted_by("decision_number")
        .select("model_name", "model_version", *WINDOWS, "artifact_sha256", "artifact")
        .read()
        .to_pylist()
    )
    return newest_trained(rows, model_name, model_version)


def _model(row: dict[str, Any]) -> ServingModel:
    check_version(row)
    return ServingModel(
        model_name=row["model_name"],
        model_version=row["model_version"],
        model=TrainedModel.from_bytes(row["artifact"], row["artifact_sha256"]),
        **{name: row[name] for name in WINDOWS},
    )
