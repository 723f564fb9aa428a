"""How good the training recipe is, measured many times: an analysis, not part of a build.

Everything that is chosen (rounds, calibration, threshold) is chosen inside the training rows of a
fold; its test rows are scored once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.model_selection import StratifiedKFold, train_test_split

from customer_insights.catalog import ModelSpec, read_specs
from customer_insights.engine import Relation, table_of
from customer_insights.metrics import RankedScores
from customer_insights.model import Examples
from customer_insights.settings import Settings, read_settings
from customer_insights.trial import run_trial

RANDOM_FOLDS = 5
OUT_OF_TIME_MONTHS = 2
ROLLING_ORIGINS = 4
VALIDATION_SHARE = 0.2

_METRICS = ("roc_auc", "pr_auc", "f1", "brier")

SINGLE_FEATURE = {
    "best_single_feature": pa.string(),
    "best_single_feature_roc_auc": pa.float64(),
    "best_single_feature_pr_auc": pa.float64(),
}

EVALUATION_SCHEMA = pa.schema(
    [
        ("model_name", pa.string()),
        ("protocol", pa.string()),
        ("seed", pa.int64()),
        ("fold", pa.string()),
        ("test_from_on", pa.date32()),
        ("test_to_on", pa.date32()),
        *[(f"{split}_rows", pa.int64()) for split in ("train", "validation", "test")],
        ("test_positives", pa.int64()),
        ("boosting_rounds", pa.int32()),
        *[(f"{name}{edge}", pa.float64()) for name in _METRICS for edge in ("", "_low", "_high")],
        *SINGLE_FEATURE.items(),
        *[
            (f"lead_over_{other}{edge}", pa.float64())
            for other in ("best_single_feature", "baseline")
            for edge in ("", "_low", "_high")
        ],
        ("baseline", pa.string()),
    ]
)
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """Places of the rows to train on, to choose on and to measure on."""

    protocol: str
    name: str
    train: Places
    validation: Places
    test: Places


def evaluate_task(
    task: str,
    *,
    keys: Sequence[str],
    date_column: str,
    run_context: Relation,
    model_features: Relation,
    training_set: Relation,
    matured_column: str | None = None,
) -> pa.Table:
    """Every model of a task under its protocols and every seed, as a table of EVALUATION_SCHEMA.

    One row is of the model, and one of each baseline that the catalog names, with `baseline` set.

    `random`: stratified 5-fold over all mature rows. `out_of_time`: each of the two newest months,
    by models that saw only what came before. `rolling_origin`, alone, where `matured_column` is
    given: each of the newest as-of dates, by models whose labels were final at that date.

    Args:
        task: name of the task in the model catalog.
        keys: columns that identify a row.
        date_column: date of a row.
        run_context: this run's settings.
        model_features: which features each model uses.
        training_set: mature rows with label, keys, date and features.
        matured_column: day on which a row's label became final, where rows are of as-of dates.

    """
    settings = read_settings(run_context)
    found: list[dict[str, Any]] = []
    dates = [name for name in (date_column, matured_column) if name]
    for spec in read_specs(model_features, task, run_context):
        rows = (
            training_set.sorted_by(*keys)
            .select(*dict.fromkeys([*dates, *keys, spec.label_name, *spec.feature_names]))
            .read()
        )
        rows = rows.filter(pc.is_valid(rows[spec.label_name]))
        labels = rows[spec.label_name].to_numpy().astype(np.bool_)
        days = rows[date_column].to_numpy()
        for seed in range(settings.evaluation_seeds):
            seeded = replace(settings, random_seed=settings.random_seed + seed)
            if matured_column:
                matured = rows[matured_column].to_numpy()
                folds = [*rolling_origins(days, matured, labels, settings.train_as_of_dates)]
            else:
                folds = [
                    *random_folds(labels, seeded.random_seed),
                    *out_of_time_months(days, labels),
                ]
            for fold in folds:
                found += [
                    {"seed": seeded.random_seed} | row
                    for row in _measure(spec, rows, labels, days, fold, seeded)
                ]
    return table_of(found, EVALUATION_SCHEMA)


def random_folds(labels: npt.NDArray[np.bool_], seed: int) -> Iterator[Fold]:
    """Stratified folds of all rows; a fifth of the rest of each is for choosing."""
    if min(int(np.sum(labels)), int(np.sum(~labels))) < RANDOM_FOLDS:
        return
    folds = StratifiedKFold(RANDOM_FOLDS, shuffle=True, random_state=seed)
    for number, (learn, test) in enumerate(folds.split(labels, labels), start=1):
        train, validation = train_test_split(
            learn, test_size=VALIDATION_SHARE, stratify=labels[learn], random_state=seed
        )
        yield Fold("random", f"fold {number}", np.sort(train), np.sort(validation), test)


def out_of_time_months(days: npt.NDArray[Any], labels: npt.NDArray[np.bool_]) -> Iterator[Fold]:
    """Each of the newest months; the newest fifth of what came before is for choosing."""
    months = days.astype("datetime64[M]")
    for month in np.unique(months)[-OUT_OF_TIME_MONTHS:]:
        earlier = np.flatnonzero(months < month)
        earlier = earlier[np.argsort(days[earlier], kind="stable")]
        split = len(earlier) - int(len(earlier) * VALIDATION_SHARE)
        train, validation = np.sort(earlier[:split]), np.sort(earlier[split:])
        test = np.flatnonzero(months == month)
        if all(len(np.unique(labels[places])) == 2 for places in (train, validation, test)):
            yield Fold("out_of_time", str(month), train, validation, test)


def rolling_origins(
    days: npt.NDArray[Any],
    matured: npt.NDArray[Any],
    labels: npt.NDArray[np.bool_],
    train_dates: int,
) -> Iterator[Fold]:
    """Each of the newest as-of dates, by what was final then.

    Chosen on the newest date whose labels were final at the tested one; trained on the newest
    `train_dates` dates whose labels were final at the date that it is chosen on.
    """
    for origin in np.unique(days)[-ROLLING_ORIGINS:]:
        final = days[matured <= origin]
        if not len(final):
            continue
        chosen_on = final.max()
        train_on = np.unique(days[matured <= chosen_on])[-train_dates:]
        train, validation, test = (
            np.flatnonzero(chosen)
            for chosen in (np.isin(days, train_on), days == chosen_on, days == origin)
        )
        if all(len(np.unique(labels[places])) == 2 for places in (train, validation, test)):
            yield Fold(
                "rolling_origin", str(origin.astype("datetime64[D]")), train, validation, test
            )


def _measure(
    spec: ModelSpec,
    rows: pa.Table,
    labels: npt.NDArray[np.bool_],
    days: npt.NDArray[Any],
    fold: Fold,
    settings: Settings,
) -> Iterator[dict[str, Any]]:
    train, validation, test = (
        Examples(rows.take(pa.array(places)), labels[places])
        for places in (fold.train, fold.validation, fold.test)
    )
    trial = run_trial(spec, train, validation, test, settings)
    tested: list[date] = days[fold.test].astype("datetime64[D]").tolist()
    described = {
        "model_name": spec.model_name,
        "protocol": fold.protocol,
        "fold": fold.name,
        "test_from_on": min(tested),
        "test_to_on": max(tested),
        "train_rows": len(train.labels),
        "validation_rows": len(validation.labels),
        "test_rows": trial.comparison.performance.rows,
        "test_positives": trial.comparison.performance.positives,
        "boosting_rounds": trial.model.rounds,
    }
    measured = dict(described)
    for name in _METRICS:
        measured |= getattr(trial.comparison.performance, name).columns(name)
    measured |= {
        name: value for name, value in trial.baseline_columns().items() if name in SINGLE_FEATURE
    }
    lead = trial.comparison.lead["best_single_feature"]
    yield measured | lead.columns("lead_over_best_single_feature")
    for name, scored in trial.named.items():
        ranked = RankedScores(test.labels, scored.scores)
        yield (
            described
            | {"baseline": name, "roc_auc": ranked.roc_auc(), "pr_auc": ranked.pr_auc()}
            | trial.comparison.lead[name].columns("lead_over_baseline")
        )
