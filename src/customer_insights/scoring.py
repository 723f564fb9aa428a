"""Score what is new or changed with the serving version of each model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from customer_insights.engine import Relation, stream
from customer_insights.serving import ServingModel, serving_models
from customer_insights.settings import Settings, read_settings

BATCH_ROWS = 100_000


def score_schema(features: Sequence[pa.Field]) -> pa.Schema:
    """Columns of a score: those that are carried over from the features, then the model's."""
    return pa.schema(
        [
            *features,
            ("model_name", pa.string()),
            ("model_version", pa.string()),
            ("score", pa.float64()),
            ("score_decile", pa.int32()),
            ("is_predicted", pa.bool_()),
            ("sample_role", pa.string()),
            ("scored_at", pa.timestamp("us")),
        ]
    )


def score_rows(
    *,
    carried: dict[str, pa.DataType],
    keys: Sequence[str],
    date_column: str,
    run_context: Relation,
    trained: Relation,
    features: Relation,
    past: Relation | None,
) -> pa.RecordBatchReader:
    """Scores of the rows that the serving versions have not scored yet, as a stream.

    A row is scored again where its `features_hash` differs from that of its stored score.

    Args:
        carried: columns copied from the features, with their types; keys and `features_hash` among
            them.
        keys: columns that identify a row of the features.
        date_column: date of a row, by which its sample role is told.
        run_context: this run's settings.
        trained: the decision log with its artifacts.
        features: the rows to score.
        past: scores of earlier builds; None on the first.

    """
    settings = read_settings(run_context)
    schema = score_schema([pa.field(name, kind) for name, kind in carried.items()])

    def batches() -> Iterator[pa.RecordBatch]:
        for serving in serving_models(trained):
            due = features.at_least(date_column, serving.scored_from(settings.rescore_days))
            if past is not None:
                scored = past.equal_to("model_name", serving.model_name).equal_to(
                    "model_version", serving.model_version
                )
                due = due.not_matching(scored, [*keys, "features_hash"])
            columns = dict.fromkeys([*carried, *serving.model.encoder.feature_names])
            for rows in due.select(*columns).read_batches(BATCH_ROWS):
                yield _scored(rows, serving, list(carried), date_column, schema, settings)

    return stream(batches(), schema)


def _scored(
    rows: pa.RecordBatch,
    serving: ServingModel,
    carried: Sequence[str],
    date_column: str,
    schema: pa.Schema,
    settings: Settings,
) -> pa.RecordBatch:
    scores = serving.model.score(rows, settings.threads(rows.num_rows))
    count = rows.num_rows
    added = [
        pa.repeat(serving.model_name, count),
        pa.repeat(serving.model_version, count),
        pa.array(scores),
        pa.array(serving.model.decile(scores)),
        pa.array(scores >= serving.model.threshold),
        serving.sample_role(rows.column(date_column)),
        pa.repeat(pa.scalar(settings.run_started_at, pa.timestamp("us")), count),
    ]
    copied = [rows.column(name).cast(schema.field(name).type) for name in carried]
    return pa.RecordBatch.from_arrays([*copied, *added], schema=schema)
