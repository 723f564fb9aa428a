"""Which texts are read in a run: by a vocabulary once for each version of it, by a model once."""

from __future__ import annotations

import pyarrow as pa

from customer_insights.engine import Derived, Input, Part, Relation
from customer_insights.engine.protocol import RowStep
from customer_insights.settings import read_settings

# A text's language may be known otherwise one day, and then it is read in another.
_KEY = ("content_hash", "language")
READ_FROM = (Input("masked_text", "category"), Input("language", "category"))


def texts_read(
    step: RowStep,
    version: str,
    read_at: str,
    *,
    run_context: Relation,
    texts: Relation,
    past: Relation | None,
) -> Derived:
    """What a step reads in the texts that this version of its vocabulary has not read yet.

    Args:
        step: reads `READ_FROM`.
        version: fingerprint of the vocabulary and its rules.
        read_at: name of the column that says when.
        run_context: this run's settings.
        texts: one row for each `content_hash`, with `masked_text` and `language`.
        past: what earlier builds read; None on the first.

    """
    due = texts
    if past is not None:
        due = due.not_matching(past.equal_to("vocabulary_version", version), list(_KEY))
    schema = pa.schema(
        [
            *[(name, pa.string()) for name in _KEY],
            *step.added,
            ("vocabulary_version", pa.string()),
            (read_at, pa.timestamp("us")),
        ]
    )
    part = Part(
        rows=due,
        step=step,
        carried={name: name for name in _KEY},
        constants={
            "vocabulary_version": version,
            read_at: read_settings(run_context).run_started_at,
        },
    )
    return Derived(schema, [part] if step.rows_each else [])


def due_texts(texts: Relation, past: Relation | None) -> Relation:
    """Texts that no earlier build has scored.

    Args:
        texts: one row for each `content_hash`.
        past: what earlier builds scored; None on the first.

    """
    return texts if past is None else texts.not_matching(past, ["content_hash"])


def oldest(texts: Relation, at_most: int) -> Relation:
    """The oldest of some texts, by `first_created_at`, at most so many."""
    return texts.sorted_by("first_created_at", "content_hash").first(at_most)
