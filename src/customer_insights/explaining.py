"""Explain the scores that people act on: the features that moved each of them most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer_insights.engine import Relation, stream
from customer_insights.serving import ServingModel, serving_models
from customer_insights.settings import Settings, read_settings

BATCH_ROWS = 20_000
# TreeSHAP of a row costs as much as scoring hundreds (0.55 ms against 0.7 us a row), so that far
# fewer rows are worth a second thread.
ROWS_SCORED_PER_EXPLANATION = 500

EXPLANATION_SCHEMA = pa.schema(
    [
        ("model_name", pa.string()),
        ("model_version", pa.string()),
        ("entity_id", pa.string()),
        ("as_of_on", pa.date32()),
        ("rank", pa.int32()),
        ("feature", pa.string()),
        ("feature_value", pa.string()),
        ("contribution", pa.float64()),
        ("features_hash", pa.string()),
    ]
)


def explain_scores(
    *,
    entity: str,
    date_column: str,
    run_context: Relation,
    trained: Relation,
    scored: Relation,
    features: Relation,
    past: Relation | None,
) -> pa.RecordBatchReader:
    """Explanations, as a stream of EXPLANATION_SCHEMA, of the top scores that have none yet.

    Args:
        entity: column that names who or what was scored.
        date_column: date of the score.
        run_context: this run's settings.
        trained: the decision log with its artifacts.
        scored: the scores, with deciles and the `features_hash` they were made from.
        features: the features that were scored.
        past: explanations of earlier builds; None on the first.

    """
    settings = read_settings(run_context)
    keys = [entity, date_column, "features_hash"]

    def batches() -> Iterator[pa.RecordBatch]:
        for serving in serving_models(trained):
            due = (
                scored.equal_to("model_name", serving.model_name)
                .equal_to("model_version", serving.model_version)
                .at_least("score_decile", settings.explain_min_decile)
            )
            rows = features.matching(due, keys)
            if past is not None:
                explained = past.equal_to("model_version", serving.model_version).equal_to(
                    "model_name", serving.model_name
                )
                explained = explained.renamed("entity_id", entity).renamed("as_of_on", date_column)
                rows = rows.not_matching(explained, keys)
            names = serving.model.encoder.feature_names
            columns = (entity, date_column, "features_hash", *names)
            for batch in rows.select(*columns).read_batches(BATCH_ROWS):
                yield _explained(batch, serving, entity, date_column, settings)

    return stream(batches(), EXPLANATION_SCHEMA)


def _explained(
    rows: pa.RecordBatch,
    serving: ServingModel,
    entity: str,
    date_column: str,
    settings: Settings,
) -> pa.RecordBatch:
    threads = settings.threads(rows.num_rows * ROWS_SCORED_PER_EXPLANATION)
    contributions = serving.model.contributions(rows, threads)
    names = serving.model.encoder.feature_names
    top = min(settings.explain_features, len(names))
    # A stable sort breaks ties by the order of the features.
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :top]
    count = rows.num_rows
    row_of = np.repeat(np.arange(count), top)
    feature_of = order.ravel()
    added: dict[str, pa.Array] = {
        "model_name": pa.repeat(serving.model_name, len(row_of)),
        "model_version": pa.repeat(serving.model_version, len(row_of)),
        "rank": pa.array(np.tile(np.arange(1, top + 1, dtype=np.int32), count)),
        "feature": pc.take(pa.array(names), pa.array(feature_of)),
        "feature_value": _values(rows, names, row_of, feature_of),
        "contribution": pa.array(contributions[row_of, feature_of]),
    }
    copied = {
        "entity_id": _repeated(rows.column(entity), row_of),
        "as_of_on": _repeated(rows.column(date_column), row_of),
        "features_hash": _repeated(rows.column("features_hash"), row_of),
    }
    columns = added | copied
    return pa.RecordBatch.from_arrays(
        [columns[field.name].cast(field.type) for field in EXPLANATION_SCHEMA],
        schema=EXPLANATION_SCHEMA,
    )


def _repeated(column: pa.Array, row_of: np.ndarray) -> pa.Array:
    return pc.take(column, pa.array(row_of))


def _values(
    rows: pa.RecordBatch, names: Sequence[str], row_of: np.ndarray, feature_of: np.ndarray
) -> pa.Array:
    """Each explained feature's value as text, as the feature table holds it."""
    texts = np.empty(len(row_of), dtype=object)
    for position, name in enumerate(names):
        chosen = feature_of == position
        if chosen.any():
            values = pc.take(rows.column(name), pa.array(row_of[chosen])).cast(pa.string())
            texts[chosen] = values.to_numpy(zero_copy_only=False)
    return pa.array(texts, pa.string(), from_pandas=True)
