"""The settings of this run, as the `run_context` table states them."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from datetime import datetime

from customer_insights.engine import Relation

# Below this a second thread saves nothing, and where other work holds a core the threads of each
# boosting round wait for one another: a fit of 0.3 s took 17 s (8,000 rows, 2 cores).
ROWS_WORTH_THREADS = 50_000


@dataclass(frozen=True)
class Settings:
    """What Python reads of `run_context`; dbt_project.yml gives unit and reason of each."""

    run_started_at: datetime
    min_train_rows: int
    min_class_rows: int
    min_rated_texts: int
    max_rated_texts: int
    max_rated_characters: int
    max_embedded_texts_per_run: int
    max_texts_per_run: int
    text_model_directory: str | None
    text_zero_shot_directory: str | None
    text_model_device: str
    random_seed: int
    training_threads: int
    train_as_of_dates: int
    refit_on_validation: bool
    bootstrap_replicates: int
    promotion_margin: float
    retrain_max_age_days: int
    retrain_metric_margin: float
    retrain_calibration_margin: float
    retrain_f1_threshold: float | None
    drift_min_rows: int
    drift_normal_deviate: float
    drift_cost_margin: float
    leak_roc_auc: float
    rescore_days: int
    explain_min_decile: int
    explain_features: int
    evaluation_seeds: int

    def threads(self, rows: int) -> int:
        """Threads for XGBoost on so many rows; they change the time, not the result."""
        return threads_for(rows, self.training_threads)


def threads_for(rows: int, at_most: int) -> int:
    """Threads for XGBoost on so many rows, where it may have so many; 0: as many as cores."""
    return (at_most or os.cpu_count() or 1) if rows >= ROWS_WORTH_THREADS else 1


def read_settings(run_context: Relation) -> Settings:
    """Read the one row of `run_context`."""
    names = [field.name for field in fields(Settings)]
    (row,) = run_context.select(*names).read().to_pylist()
    return Settings(**row)
