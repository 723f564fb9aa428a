"""Score what is new or changed with the serving version of each model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from customer_insights.engine import Derived, Input, Part, Relation
from customer_insights.serving import ServingModel, serving_and_replaced
from customer_insights.settings import read_settings, threads_for


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


@dataclass(frozen=True)
class ScoreStep:
    """Scores of rows by one version: score, decile, decision, and what the row was to it."""

    serving: ServingModel
    date_column: str
    most_threads: int

    rows_each = 1
    batch_rows = 100_000
    added = pa.schema(
        [
            ("score", pa.float64()),
            ("score_decile", pa.int32()),
            ("is_predicted", pa.bool_()),
            ("sample_role", pa.string()),
        ]
    )

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The model's features, and the date."""
        return (*self.serving.model.inputs, Input(self.date_column, "date"))

    def apply(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """One row of `added` for each row."""
        model = self.serving.model
        scores = model.score(rows, threads_for(rows.num_rows, self.most_threads))
        columns = [
            pa.array(scores),
            pa.array(model.decile(scores)),
            pa.array(scores >= model.threshold),
            self.serving.sample_role(rows.column(self.date_column)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.added)

    def to_json(self) -> dict[str, Any]:
        """Itself as values of JSON, for one thread: a warehouse runs many at once."""
        return {
            "step": "score",
            "serving": self.serving.to_json(),
            "date_column": self.date_column,
        }

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> ScoreStep:
        """What `to_json` wrote."""
        return cls(ServingModel.from_json(written["serving"]), written["date_column"], 1)


def score_rows(
    *,
    carried: Mapping[str, pa.DataType],
    keys: Sequence[str],
    date_column: str,
    run_context: Relation,
    trained: Relation,
    features: Relation,
    past: Relation | None,
) -> Derived:
    """Scores of the rows that the serving versions have not scored yet.

    A row is scored again where its `features_hash` differs from that of its stored score. A version
    that was replaced still scores the rows on which its successor was tested: where they came in
    the build that replaced it, nobody would know else what it was worth on them.

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

    def parts() -> Iterator[Part]:
        wanted = []
        for serving, replaced in serving_and_replaced(trained):
            first_on = serving.scored_from(settings.rescore_days)
            wanted.append((serving, features.at_least(date_column, first_on)))
            if replaced:
                first_on = replaced.test_to_on + timedelta(days=1)
                until = features.at_most(date_column, serving.test_to_on)
                wanted.append((replaced, until.at_least(date_column, first_on)))
        for version, rows in wanted:
            due = rows
            if past is not None:
                scored = past.equal_to("model_name", version.model_name).equal_to(
                    "model_version", version.model_version
                )
                due = due.not_matching(scored, [*keys, "features_hash"])
            yield Part(
                rows=due,
                step=ScoreStep(version, date_column, settings.training_threads),
                carried={name: name for name in carried},
                constants={
                    "model_name": version.model_name,
                    "model_version": version.model_version,
                    "scored_at": settings.run_started_at,
                },
            )

    schema = score_schema([pa.field(name, kind) for name, kind in carried.items()])
    return Derived(schema, parts())
