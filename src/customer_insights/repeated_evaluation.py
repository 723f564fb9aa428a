"""How good the training recipe is, measured many times: an analysis, not part of a build.

Everything that is chosen (rounds, calibration, threshold) is chosen inside the training rows of a
fold; its test rows are scored once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.model_selection import StratifiedKFold, train_test_split

from customer_insights.alike import subjects_of
from customer_insights.catalog import Feature, ModelSpec, read_specs
from customer_insights.engine import Relation, table_of
from customer_insights.evaluation import Scored, compare, model_scored
from customer_insights.metrics import Interval, RankedScores
from customer_insights.model import Examples
from customer_insights.recipe import TREES
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
        ("left_out", pa.string()),
    ]
)
# Raw tables that a shop may do without: what the features made from them add is measured.
LEFT_OUT = ("reviews",)
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
    alike: Sequence[str] = (),
) -> pa.Table:
    """Every model of a task under its protocols and every seed, as a table of EVALUATION_SCHEMA.

    One row is of the model, one of each baseline that the catalog names, with `baseline` set, and
    one of the model without the features of a raw table, with `left_out` set, where there are any.

    `random`: stratified 5-fold over all mature rows. `out_of_time`: each of the two newest months,
    by models that saw only what came before. `rolling_origin`, alone, where `matured_column` is
    given: each of the newest as-of dates, by models whose labels were final at that date.

    Args:
        task: name of the task in the model catalog.
        keys: columns that identify a row.
        date_column: date of a row.
        run_context: this run's settings.
        model_features: which features each model uses, and which raw table they are made from.
        training_set: mature rows with label, keys, date and features.
        matured_column: day on which a row's label became final, where rows are of as-of dates.
        alike: columns such that rows with one value are alike; none where each row is its own.

    """
    settings = read_settings(run_context)
    found: list[dict[str, Any]] = []
    dates = [name for name in (date_column, matured_column) if name]
    made_from = _sources(model_features, task)
    for spec in read_specs(model_features, task, run_context):
        rows = (
            training_set.sorted_by(*keys)
            .select(*dict.fromkeys([*dates, *keys, *alike, spec.label_name, *spec.feature_names]))
            .read()
        )
        rows = rows.filter(pc.is_valid(rows[spec.label_name]))
        reduced = _without(spec, rows, made_from)
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
                    for row in _measure(spec, reduced, rows, labels, days, fold, alike, seeded)
                ]
    return table_of(found, EVALUATION_SCHEMA)


def _sources(model_features: Relation, task: str) -> dict[str, str]:
    """The raw table that each feature of a task is made from."""
    rows = model_features.equal_to("task", task).select("feature", "source_table").read()
    return dict(zip(*rows.to_pydict().values(), strict=True))


def _without(
    spec: ModelSpec, rows: pa.Table, made_from: Mapping[str, str]
) -> dict[str, tuple[Feature, ...]]:
    """The features that are left without a raw table, for each of which some feature tells rows."""
    found = {}
    for source in LEFT_OUT:
        gone = [name for name in spec.feature_names if made_from[name] == source]
        if any(pc.count_distinct(rows[name], mode="all").as_py() > 1 for name in gone):
            found[source] = tuple(f for f in spec.features if f.name not in gone)
    return found


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
    reduced: Mapping[str, tuple[Feature, ...]],
    rows: pa.Table,
    labels: npt.NDArray[np.bool_],
    days: npt.NDArray[Any],
    fold: Fold,
    alike: Sequence[str],
    settings: Settings,
) -> Iterator[dict[str, Any]]:
    train, validation, test = (
        Examples(rows.take(pa.array(places)), labels[places])
        for places in (fold.train, fold.validation, fold.test)
    )
    test = replace(test, subjects=subjects_of(test.rows, alike))
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
        yield described | {"baseline": name} | _beside(scored, trial.comparison.lead[name], test)
    if not reduced:
        return
    others = {
        source: model_scored(TREES.fit(train, validation, features, settings), test.rows, settings)
        for source, features in reduced.items()
    }
    comparison = compare(
        test.labels,
        model_scored(trial.model, test.rows, settings),
        others,
        primary_metric=spec.primary_metric,
        replicates=settings.bootstrap_replicates,
        seed=settings.random_seed,
        subjects=test.subjects,
    )
    for source, scored in others.items():
        yield described | {"left_out": source} | _beside(scored, comparison.lead[source], test)


def _beside(scored: Scored, lead: Interval, test: Examples) -> dict[str, Any]:
    """What another score of the test rows reaches, and the model's lead over it."""
    ranked = RankedScores(test.labels, scored.scores)
    return {"roc_auc": ranked.roc_auc(), "pr_auc": ranked.pr_auc()} | lead.columns(
        "lead_over_baseline"
    )
