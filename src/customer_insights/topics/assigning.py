"""Give each text its topic, and list the terms of the topics in force."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from customer_insights.engine import Derived, Input, Part, Relation, table_of
from customer_insights.model import artifact_hash
from customer_insights.text.sentiment import TEXT, texts_of
from customer_insights.topics.model import TopicModel
from customer_insights.topics.quality import relevance, top_terms
from customer_insights.topics.settings import read_topic_settings
from customer_insights.topics.training import read_log, serving_topics

# Terms of a topic that are listed: what a cloud of words can show.
LISTED_TERMS = 30

ASSIGNED_SCHEMA = pa.schema(
    [
        ("content_hash", pa.string()),
        ("topic_id", pa.int32()),
        ("topic_share", pa.float64()),
        ("model_version", pa.string()),
        ("assigned_at", pa.timestamp("us")),
    ]
)
TERM_SCHEMA = pa.schema(
    [
        ("topic_id", pa.int32()),
        ("rank", pa.int32()),
        ("term", pa.string()),
        ("weight", pa.float64()),
        ("coherence_npmi", pa.float64()),
        ("first_seen_on", pa.date32()),
        ("language", pa.string()),
        ("model_version", pa.string()),
    ]
)


@dataclass(frozen=True)
class TopicStep:
    """The topic of texts, and its share of the text, null where no topic has a term of it."""

    model: TopicModel

    rows_each = 1
    batch_rows = 20_000
    added = pa.schema([("topic_id", pa.int32()), ("topic_share", pa.float64())])
    inputs = (Input(TEXT, "text"),)

    def apply(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """One row of `added` for each row."""
        topics, shares = self.model.assign(texts_of(rows.column(TEXT)))
        columns = [pa.array(topics, pa.int32()), pa.array(shares, from_pandas=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self.added)

    def to_json(self) -> dict[str, Any]:
        """Itself as values of JSON, the topics with their hash."""
        artifact = self.model.to_bytes()
        return {
            "step": "topics",
            "artifact": b64encode(artifact).decode(),
            "artifact_sha256": artifact_hash(artifact),
        }

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> TopicStep:
        """What `to_json` wrote.

        Raises:
            ArtifactError: the topics are not those that were written.

        """
        artifact = b64decode(written["artifact"])
        return cls(TopicModel.from_bytes(artifact, written["artifact_sha256"]))


def assign_topics(
    *, run_context: Relation, trained: Relation, texts: Relation, past: Relation | None
) -> Derived:
    """The topic of each text that the topics in force have not been given to.

    Args:
        run_context: this run's settings.
        trained: the log of decisions, with the topics.
        texts: one row for each `content_hash`, with `masked_text`.
        past: the texts that have a topic; None on the first build.

    """
    serving = serving_topics(read_log(trained))
    if serving is None:
        return Derived(ASSIGNED_SCHEMA, [])
    version, model = serving
    due = texts
    if past is not None:
        due = due.not_matching(past.equal_to("model_version", version), ["content_hash"])
    part = Part(
        rows=due,
        step=TopicStep(model),
        carried={"content_hash": "content_hash"},
        constants={
            "model_version": version,
            "assigned_at": read_topic_settings(run_context).run_started_at,
        },
    )
    return Derived(ASSIGNED_SCHEMA, [part])


def list_terms(*, trained: Relation, past: Relation | None) -> pa.Table:
    """The most relevant terms of the topics in force, of TERM_SCHEMA; none where they are listed.

    Args:
        trained: the log of decisions, with the topics.
        past: the terms that are listed; None on the first build.

    """
    serving = serving_topics(read_log(trained))
    if serving is None:
        return TERM_SCHEMA.empty_table()
    version, model = serving
    if past is not None and past.equal_to("model_version", version).first(1).read().num_rows:
        return TERM_SCHEMA.empty_table()
    relevant = relevance(model.weights)
    rows = []
    for place, columns in enumerate(top_terms(model.weights, LISTED_TERMS)):
        coherence = model.coherence[place]
        rows += [
            {
                "topic_id": int(model.topic_ids[place]),
                "rank": rank,
                "term": model.terms[column],
                "weight": float(relevant[place, column]),
                "coherence_npmi": float(coherence) if np.isfinite(coherence) else None,
                "first_seen_on": model.first_seen_on[place],
                "language": model.languages[place] or None,
                "model_version": version,
            }
            for rank, column in enumerate(columns, start=1)
        ]
    return table_of(rows, TERM_SCHEMA)
