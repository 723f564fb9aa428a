"""A small history of visits with a known signal, and relations of a real in-memory DuckDB."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any

# Before XGBoost loads OpenMP: idle threads that spin take the cores from one another.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings as hypothesis_settings

from customer_insights.catalog import Feature, FeatureKind, ModelSpec
from customer_insights.engine import Derived, Relation
from customer_insights.engine.on_duckdb import DuckDBWarehouse
from customer_insights.model import Examples, TrainedModel, fit
from customer_insights.settings import Settings
from customer_insights.training import RUN_SCHEMA, Row, TrainingSet, decide, train_task

# Other work shares the cores: a slow example is no defect.
hypothesis_settings.register_profile("unit", deadline=None, max_examples=50, derandomize=True)
hypothesis_settings.load_profile("unit")

KINDS: dict[str, FeatureKind] = {
    "pages": "number",
    "visitor": "category",
    "is_weekend": "boolean",
    "month": "category",
    "noise": "number",
}
TASK = "visits"
START = date(2024, 1, 1)


class Shop:
    """Makes visits, training sets, decisions and relations; the first visits are of `start`."""

    start = START

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._warehouse = DuckDBWarehouse(None, connection)

    def settings(self, **changed: Any) -> Settings:
        """Settings of a small run."""
        return replace(
            Settings(
                run_started_at=datetime(2025, 1, 1, 6, 30),
                min_train_rows=100,
                min_class_rows=10,
                min_rated_texts=100,
                max_rated_texts=10_000,
                max_rated_characters=10_000_000,
                max_embedded_texts_per_run=10_000,
                max_texts_per_run=100,
                text_model_directory=None,
                text_zero_shot_directory=None,
                text_model_device="cpu",
                random_seed=7,
                training_threads=2,
                train_as_of_dates=2,
                refit_on_validation=False,
                bootstrap_replicates=100,
                promotion_margin=0.0,
                retrain_max_age_days=90,
                retrain_metric_margin=0.02,
                retrain_calibration_margin=0.1,
                retrain_f1_threshold=None,
                drift_min_rows=50,
                drift_normal_deviate=3.09,
                drift_cost_margin=0.02,
                leak_roc_auc=0.85,
                rescore_days=400,
                explain_min_decile=10,
                explain_features=3,
                evaluation_seeds=1,
            ),
            **changed,
        )

    def features(self, *names: str, may_leak: tuple[str, ...] = ()) -> tuple[Feature, ...]:
        """Features by name; without names all but the noise."""
        return tuple(
            Feature(name, KINDS.get(name, "number"), name == "month", name in may_leak)
            for name in sorted(names or set(KINDS) - {"noise"})
        )

    def spec(
        self, *names: str, primary_metric: str = "roc_auc", may_leak: tuple[str, ...] = ()
    ) -> ModelSpec:
        """A model that predicts a purchase from these features."""
        return ModelSpec(
            "intent", "is_purchase", primary_metric, self.features(*names, may_leak=may_leak)
        )

    def visits(
        self, days: int = 60, per_day: int = 14, *, seed: int = 0, signal: float = 1.0
    ) -> pa.Table:
        """Visits in key order. `pages` and `visitor` tell of a purchase, as far as `signal` says.

        More days with the same seed keep the days before as they are; the signal may change.
        """
        table: dict[str, list[Any]] = {name: [] for name in ("session_id", "session_on", *KINDS)}
        labels: list[bool] = []
        for day in range(days):
            random = np.random.default_rng([seed, day])
            on = START + timedelta(days=day)
            pages = random.gamma(2.0, 4.0, per_day)
            is_new = random.random(per_day) < 0.4
            noise = random.normal(size=per_day)
            log_odds = signal * (0.3 * (pages - 8.0) + np.where(is_new, 2.0, -2.0)) - 0.5
            labels += (random.random(per_day) < 1 / (1 + np.exp(-log_odds))).tolist()
            table["session_id"] += [f"s{day:04}-{number:03}" for number in range(per_day)]
            table["session_on"] += [on] * per_day
            table["pages"] += pages.round(3).tolist()
            table["visitor"] += np.where(is_new, "new", "returning").tolist()
            table["is_weekend"] += [on.weekday() >= 5] * per_day
            table["month"] += [on.strftime("%b")] * per_day
            table["noise"] += noise.tolist()
        return pa.table(
            table
            | {
                "is_purchase": labels,
                "label_definition_version": pa.array([1] * len(labels), pa.int32()),
                "features_hash": [f"h-{session}" for session in table["session_id"]],
            },
            schema=pa.schema(
                [
                    ("session_id", pa.string()),
                    ("session_on", pa.date32()),
                    ("pages", pa.float64()),
                    ("visitor", pa.string()),
                    ("is_weekend", pa.bool_()),
                    ("month", pa.string()),
                    ("noise", pa.float64()),
                    ("is_purchase", pa.bool_()),
                    ("label_definition_version", pa.int32()),
                    ("features_hash", pa.string()),
                ]
            ),
        )

    def with_column(self, rows: pa.Table, name: str, values: object) -> pa.Table:
        """A table with a column added or replaced."""
        array = pa.array(values)
        if name not in rows.column_names:
            return rows.append_column(name, array)
        return rows.set_column(rows.column_names.index(name), name, array)

    def split(self, rows: pa.Table, *, validation_days: int = 15, test_days: int = 15) -> pa.Table:
        """Rows with `split` by time, counted back from the newest day."""
        days = rows["session_on"].to_numpy().astype("datetime64[D]")
        age = (days.max() - days).astype(int) if len(days) else np.zeros(0, dtype=int)
        names = np.where(
            age < test_days,
            "test",
            np.where(age < test_days + validation_days, "validation", "train"),
        )
        return rows.append_column("split", pa.array(names.tolist(), pa.string()))

    def examples(self, rows: pa.Table) -> Examples:
        """Rows as examples."""
        return Examples(rows, rows["is_purchase"].to_numpy().astype(np.bool_))

    def parts(self, rows: pa.Table) -> tuple[Examples, Examples, Examples]:
        """Train, validation and test of some rows without a split."""
        splits = self.split(rows)
        names = np.array(splits["split"].to_pylist())
        train, validation, test = (
            self.examples(splits.filter(pa.array(names == name)))
            for name in ("train", "validation", "test")
        )
        return train, validation, test

    def fit(self, rows: pa.Table, *names: str, **options: Any) -> TrainedModel:
        """A model fitted on the train and validation part of some rows."""
        train, validation, _ = self.parts(rows)
        options = {"seed": 7, "threads": 1} | options
        return fit(train, validation, self.features(*names), **options)

    def decide(
        self,
        rows: pa.Table,
        past: list[Row] | None = None,
        *,
        spec: ModelSpec | None = None,
        alike: Sequence[str] = (),
        **changed: Any,
    ) -> Row:
        """The decision of one build on rows that have no split yet."""
        spec = spec or self.spec()
        training_set = TrainingSet.of(
            self.split(rows), ("session_id",), "session_on", spec, alike=alike
        )
        return decide(spec, training_set, past or [], self.settings(**changed))

    def relate(self, rows: pa.Table) -> Relation:
        """A table as a relation of DuckDB."""
        return self._warehouse.relation(self._connection.from_arrow(rows))

    def written(self, rows: Derived) -> pa.Table:
        """Derived rows as dbt stores them."""
        return self._warehouse.write(rows).read_all()

    def run_context(self, **changed: Any) -> Relation:
        """Settings as the table that SQL makes of them."""
        settings = self.settings(**changed)
        row = {field.name: getattr(settings, field.name) for field in fields(Settings)}
        threshold = pa.array([row.pop("retrain_f1_threshold")], pa.float64())
        table = pa.table({name: [value] for name, value in row.items()})
        return self.relate(table.append_column("retrain_f1_threshold", threshold))

    def model_features(self, *specs: ModelSpec, from_reviews: str = "") -> Relation:
        """The catalog of some models; one feature may be made from reviews."""
        return self.relate(
            pa.Table.from_pylist(
                [
                    {
                        "task": TASK,
                        "model_name": spec.model_name,
                        "label_name": spec.label_name,
                        "primary_metric": spec.primary_metric,
                        "feature": feature.name,
                        "source_table": "reviews" if feature.name == from_reviews else "sessions",
                        "kind": feature.kind,
                        "is_calendar": feature.is_calendar,
                        "leak_reason": "known" if feature.may_leak else None,
                        "is_baseline": feature.is_baseline,
                        "label_settings": "|".join(name for name, _ in spec.label_settings),
                    }
                    for spec in specs
                    for feature in reversed(spec.features)
                ],
                schema=pa.schema(
                    [
                        (name, pa.bool_() if name.startswith("is_") else pa.string())
                        for name in (
                            "task",
                            "model_name",
                            "label_name",
                            "primary_metric",
                            "feature",
                            "source_table",
                            "kind",
                            "is_calendar",
                            "leak_reason",
                            "is_baseline",
                            "label_settings",
                        )
                    ]
                ),
            )
        )

    def train(
        self,
        rows: pa.Table,
        past: pa.Table | None = None,
        *,
        specs: tuple[ModelSpec, ...] | None = None,
        **changed: Any,
    ) -> pa.Table:
        """The decisions of one build, through relations, as a dbt model asks for them."""
        return train_task(
            TASK,
            keys=["session_id"],
            date_column="session_on",
            run_context=self.run_context(**changed),
            model_features=self.model_features(*(specs or (self.spec(),))),
            training_set=self.relate(self.split(rows)),
            past=None if past is None else self.relate(past),
        )

    def log(self, *decisions: Row) -> Relation:
        """Decisions as the stored decision log."""
        return self.relate(pa.Table.from_pylist(list(decisions), schema=RUN_SCHEMA))


@pytest.fixture(scope="session")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture(scope="session")
def shop(connection: duckdb.DuckDBPyConnection) -> Shop:
    return Shop(connection)


@pytest.fixture(scope="session")
def promoted(shop: Shop) -> Row:
    """The first decision on visits with a signal: trained and promoted."""
    decision = shop.decide(shop.visits())
    assert decision["decision"] == "trained_promoted", decision["reason"]
    return decision


@pytest.fixture(scope="session")
def serving(promoted: Row) -> TrainedModel:
    """The model of that decision."""
    return TrainedModel.from_bytes(promoted["artifact"], promoted["artifact_sha256"])
