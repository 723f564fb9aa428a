"""Explain the scores that people act on: the features that moved each of them most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer_insights.catalog import Feature
from customer_insights.engine import Derived, Input, Part, Relation
from customer_insights.serving import ServingModel, serving_models
from customer_insights.settings import read_settings, threads_for

# TreeSHAP of a row costs as much as scoring hundreds (0.55 ms against 0.7 us a row), so that far
# fewer rows are worth a second thread.
ROWS_SCORED_PER_EXPLANATION = 500
# A number is shown with as many digits: what else a float holds is noise, and engines differ in it.
SIGNIFICANT_DIGITS = 9

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


@dataclass(frozen=True)
class ExplainStep:
    """The features that moved a version's scores most, by size of their contribution."""

    serving: ServingModel
    most_features: int
    most_threads: int

    batch_rows = 20_000
    added = pa.schema(
        [
            ("rank", pa.int32()),
            ("feature", pa.string()),
            ("feature_value", pa.string()),
            ("contribution", pa.float64()),
        ]
    )

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The model's features."""
        return self.serving.model.inputs

    @property
    def rows_each(self) -> int:
        """How many features are shown."""
        return min(self.most_features, len(self.serving.model.encoder.features))

    def apply(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """`rows_each` rows of `added` for each row, by falling size of the contribution."""
        threads = threads_for(rows.num_rows * ROWS_SCORED_PER_EXPLANATION, self.most_threads)
        contributions = self.serving.model.contributions(rows, threads)
        features = self.serving.model.encoder.features
        # A stable sort breaks ties by the order of the features.
        order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, : self.rows_each]
        row_of = np.repeat(np.arange(rows.num_rows), self.rows_each)
        feature_of = order.ravel()
        ranks = np.tile(np.arange(1, self.rows_each + 1, dtype=np.int32), rows.num_rows)
        columns = [
            pa.array(ranks),
            pc.take(pa.array([feature.name for feature in features]), pa.array(feature_of)),
            _values(rows, features, row_of, feature_of),
            pa.array(contributions[row_of, feature_of]),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.added)

    def to_json(self) -> dict[str, Any]:
        """Itself as values of JSON, for one thread: a warehouse runs many at once."""
        return {
            "step": "explain",
            "serving": self.serving.to_json(),
            "most_features": self.most_features,
        }

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> ExplainStep:
        """What `to_json` wrote."""
        return cls(ServingModel.from_json(written["serving"]), written["most_features"], 1)


def explain_scores(
    *,
    entity: str,
    date_column: str,
    run_context: Relation,
    trained: Relation,
    scored: Relation,
    features: Relation,
    past: Relation | None,
) -> Derived:
    """Explanations, as rows of EXPLANATION_SCHEMA, of the top scores that have none yet.

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

    def parts() -> Iterator[Part]:
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
            yield Part(
                rows=rows,
                step=ExplainStep(serving, settings.explain_features, settings.training_threads),
                carried={
                    "entity_id": entity,
                    "as_of_on": date_column,
                    "features_hash": "features_hash",
                },
                constants={
                    "model_name": serving.model_name,
                    "model_version": serving.model_version,
                },
            )

    return Derived(EXPLANATION_SCHEMA, parts())


def _values(
    rows: pa.RecordBatch,
    features: tuple[Feature, ...],
    row_of: np.ndarray,
    feature_of: np.ndarray,
) -> pa.Array:
    """Each explained feature's value as text: the same, whatever type an engine gave it."""
    texts = np.empty(len(row_of), dtype=object)
    for position, feature in enumerate(features):
        chosen = feature_of == position
        if chosen.any():
            values = pc.take(rows.column(feature.name), pa.array(row_of[chosen]))
            texts[chosen] = _as_texts(values, feature)
    return pa.array(texts, pa.string(), from_pandas=True)


def _as_texts(values: pa.Array, feature: Feature) -> np.ndarray:
    if feature.kind == "category":
        texts = values.cast(pa.string()).to_pylist()
    elif feature.kind == "boolean":
        texts = values.cast(pa.bool_()).cast(pa.string()).to_pylist()
    else:
        numbers = values.cast(pa.float64(), safe=False).to_pylist()
        texts = [None if n is None else f"{n:.{SIGNIFICANT_DIGITS}g}" for n in numbers]
    return np.array(texts, dtype=object)
