"""Give each text its topic, and list the terms of the topics in force."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from customer_insights.engine import Relation, table_of
from customer_insights.topics.model import NO_TOPIC, TopicModel
from customer_insights.topics.quality import relevance, top_terms
from customer_insights.topics.settings import read_topic_settings
from customer_insights.topics.training import read_log, serving_topics

# Terms of a topic that are listed: what a cloud of words can show.
LISTED_TERMS = 30
# Texts that are read into memory as terms at a time.
BATCH_TEXTS = 20_000

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


def assign_topics(
    *, run_context: Relation, trained: Relation, texts: Relation, past: Relation | None
) -> pa.Table:
    """The topic of each text that the topics in force have not been given to, of ASSIGNED_SCHEMA.

    Args:
        run_context: this run's settings.
        trained: the log of decisions, with the topics.
        texts: content_hash and masked_text of each review.
        past: the texts that have a topic; None on the first build.

    """
    serving = serving_topics(read_log(trained))
    if serving is None:
        return ASSIGNED_SCHEMA.empty_table()
    version, model = serving
    settings = read_topic_settings(run_context)
    waiting = texts.select("content_hash", "masked_text")
    if past is not None:
        done = past.equal_to("model_version", version)
        waiting = waiting.not_matching(done, ["content_hash"])
    rows = waiting.read()
    text_of = dict(
        zip(rows["content_hash"].to_pylist(), rows["masked_text"].to_pylist(), strict=True)
    )
    hashes = sorted(text_of)
    parts = [
        _assigned(model, hashes[at : at + BATCH_TEXTS], text_of)
        for at in range(0, len(hashes), BATCH_TEXTS)
    ]
    return table_of(
        (
            row | {"model_version": version, "assigned_at": settings.run_started_at}
            for part in parts
            for row in part
        ),
        ASSIGNED_SCHEMA,
    )


def _assigned(
    model: TopicModel, hashes: list[str], text_of: dict[str, str]
) -> Iterable[dict[str, object]]:
    topics, shares = model.assign([text_of[key] for key in hashes])
    return [
        {
            "content_hash": key,
            "topic_id": int(topic),
            "topic_share": None if topic == NO_TOPIC else float(share),
        }
        for key, topic, share in zip(hashes, topics, shares, strict=True)
    ]


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
