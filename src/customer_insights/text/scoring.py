"""Score the texts that have no sentiment yet, each with a model that knew earlier ratings only."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from customer_insights.engine import Derived, Input, Part, Relation
from customer_insights.model import artifact_hash
from customer_insights.settings import read_settings
from customer_insights.text.reading import due_texts, oldest
from customer_insights.text.sentiment import SentimentModel, texts_of

CARRIED = {"content_hash": pa.string(), "first_created_at": pa.timestamp("us")}
SCORED_SCHEMA = pa.schema(
    [
        *CARRIED.items(),
        ("sentiment_label", pa.string()),
        ("sentiment_score", pa.float64()),
        ("positive_score", pa.float64()),
        ("model_version", pa.string()),
        ("scored_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True)
class SentimentStep:
    """Sentiment of texts by one model: label and score, null where it knows nothing of a text.

    `positive_score` is its answer to the question that it is measured by.
    """

    model: SentimentModel

    rows_each = 1
    batch_rows = 20_000
    added = pa.schema(
        [
            ("sentiment_label", pa.string()),
            ("sentiment_score", pa.float64()),
            ("positive_score", pa.float64()),
        ]
    )

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The text."""
        return self.model.inputs

    def apply(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """One row of `added` for each row."""
        scores, positive = self.model.both_scores(texts_of(rows.column(self.inputs[0].name)))
        columns = [
            pa.array(self.model.labels(scores), pa.string()),
            pa.array(scores, from_pandas=True),
            pa.array(positive),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.added)

    def to_json(self) -> dict[str, Any]:
        """Itself as values of JSON, the model with its hash."""
        artifact = self.model.to_bytes()
        return {
            "step": "sentiment",
            "artifact": b64encode(artifact).decode(),
            "artifact_sha256": artifact_hash(artifact),
        }

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> SentimentStep:
        """What `to_json` wrote.

        Raises:
            ArtifactError: the model is not the one that was written.

        """
        artifact = b64decode(written["artifact"])
        return cls(SentimentModel.from_bytes(artifact, written["artifact_sha256"]))


def score_texts(
    *,
    run_context: Relation,
    trained: Relation,
    folds: Relation,
    assigned: Relation,
    past: Relation | None,
) -> Derived:
    """Sentiment of texts that have none yet, the oldest first, at most so many a run.

    Args:
        run_context: this run's settings.
        trained: the decision log with its artifacts.
        folds: the models of the history with theirs.
        assigned: distinct texts, each with the `scoring_version` that may score it.
        past: sentiment of earlier builds, which stays as it is; None on the first.

    """
    settings = read_settings(run_context)

    def parts() -> Iterator[Part]:
        due = due_texts(assigned, past)
        waiting = due.row_counts("scoring_version")
        # Sorted only where some have to wait: a sort holds all texts, in memory or in files.
        if sum(waiting.values()) > settings.max_embedded_texts_per_run:
            due = oldest(due, settings.max_embedded_texts_per_run)
        for version in sorted(waiting):
            yield Part(
                rows=due.equal_to("scoring_version", version),
                step=SentimentStep(_load(version, trained, folds)),
                carried={name: name for name in CARRIED},
                constants={"model_version": version, "scored_at": settings.run_started_at},
            )

    return Derived(SCORED_SCHEMA, parts())


def _load(version: str, trained: Relation, folds: Relation) -> SentimentModel:
    """The model of a version, of the history or a champion."""
    stored = [
        row
        for log in (folds, trained)
        for row in log.equal_to("model_version", version)
        .select("artifact_sha256", "artifact")
        .read()
        .to_pylist()
        if row["artifact"] is not None
    ]
    return SentimentModel.from_bytes(stored[0]["artifact"], stored[0]["artifact_sha256"])
