"""Searches, on demand, for parameters with which a model does better on rows to come.

The search sees train and validation rows only. Each trial is measured as training measures a
model: on rows that are newer than those it learned and chose from. Test rows are left for the gate,
before which whatever is found comes like any other challenger
(`customer_insights.tuned_parameters`).

The budget is a number of trials, not a time: what is found must not depend on how busy a machine
is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from customer_insights.catalog import ModelSpec, read_specs
from customer_insights.engine import Relation, table_of
from customer_insights.errors import CustomerInsightsError
from customer_insights.fingerprint import training_set_hash
from customer_insights.metrics import Labels, RankedScores
from customer_insights.model import Examples
from customer_insights.recipe import Trees
from customer_insights.repeated_evaluation import VALIDATION_SHARE, Fold
from customer_insights.settings import Settings, read_settings
from customer_insights.training import VERSION, TrainingSet, library_versions
from customer_insights.tuned_parameters import DEFAULTS, SEARCH_SPACE, Range, Tuned

if TYPE_CHECKING:
    from optuna.trial import Trial

# Share of the rows that each fold is measured on, in whole dates: three of them are a third of the
# history, and the oldest model still learns from half of it.
HELD_OUT_SHARE = 0.1
# Searched numbers are read by people, and a fourth digit of them changes nothing.
SHOWN_DIGITS = 3
# So many trials are random, and none of these is stopped early: Optuna's own default.
RANDOM_TRIALS = 10

TRIALS_SCHEMA = pa.schema(
    [
        ("model_name", pa.string()),
        ("study_number", pa.int32()),
        ("study_id", pa.string()),
        ("trial_number", pa.int32()),
        ("tuned_at", pa.timestamp("us")),
        ("state", pa.string()),
        ("is_best", pa.bool_()),
        ("parameters", pa.string()),
        ("primary_metric", pa.string()),
        ("value", pa.float64()),
        ("fold_values", pa.string()),
        ("fold_rounds", pa.string()),
        ("folds", pa.string()),
        ("training_set_hash", pa.string()),
        ("library_versions", pa.string()),
    ]
)
Days = npt.NDArray[np.datetime64]


class TuningError(CustomerInsightsError):
    """A model cannot be tuned."""


@dataclass(frozen=True)
class Budget:
    """How much is searched, of which model; None: none."""

    tuning_model: str | None
    tuning_trials: int
    tuning_folds: int


@dataclass(frozen=True)
class Attempt:
    """One trial: what was tried, and what came of it in each fold that it got to."""

    values: dict[str, Any]
    fold_values: tuple[float, ...]
    fold_rounds: tuple[int, ...]
    is_complete: bool

    @property
    def value(self) -> float | None:
        """Mean over all folds; None where a trial was stopped before."""
        return float(np.mean(self.fold_values)) if self.is_complete else None


def tune_task(
    task: str,
    *,
    keys: Sequence[str],
    date_column: str,
    run_context: Relation,
    model_features: Relation,
    training_set: Relation,
    past: Relation | None,
) -> pa.Table:
    """The trials of a search for one model of the task, as a table of TRIALS_SCHEMA to append.

    The table is empty where the model to tune is of another task, and where `past` holds the
    search already: the same rows, features, budget and seed give the same trials.

    Args:
        task: name of the task in the model catalog.
        keys: columns that identify a row of the training set.
        date_column: date of a row; a fold takes whole dates.
        run_context: this run's settings, `tuning_model` among them.
        model_features: which features each model uses.
        training_set: mature rows with `split`, `matured_on`, label, keys, date and features.
        past: the trials of earlier searches; None on the first.

    Raises:
        TuningError: too few rows, or too few dates, to measure anything on.

    """
    settings = read_settings(run_context)
    (row,) = run_context.select(*Budget.__dataclass_fields__).read().to_pylist()
    budget = Budget(**row)
    found: list[dict[str, Any]] = []
    for spec in read_specs(model_features, task, run_context):
        if spec.model_name != budget.tuning_model:
            continue
        columns = ["split", *keys, date_column, "matured_on", VERSION, spec.label_name]
        source = training_set.sorted_by(*keys).select(
            *dict.fromkeys([*columns, *spec.feature_names])
        )
        known = TrainingSet.of(source.read(), keys, date_column, spec)
        study = Study.of(known, settings, budget)
        earlier = [] if past is None else past.equal_to("model_name", spec.model_name).read()
        numbers = [] if past is None else _distinct(earlier, "study_number")
        if past is None or study.study_id not in _distinct(earlier, "study_id"):
            found += study.rows(1 + max(numbers, default=0), known.hash())
    return table_of(found, TRIALS_SCHEMA)


def _distinct(rows: pa.Table, column: str) -> list[Any]:
    values: list[Any] = pc.unique(rows[column]).to_pylist()
    return values


@dataclass(frozen=True)
class Study:
    """A search for the parameters of one model, on its train and validation rows."""

    spec: ModelSpec
    rows_known: Examples
    folds: tuple[Fold, ...]
    days: Days
    settings: Settings
    budget: Budget
    study_id: str

    @classmethod
    def of(cls, training_set: TrainingSet, settings: Settings, budget: Budget) -> Study:
        """The search on all rows of a training set but those of its test split.

        Raises:
            TuningError: too few rows, or too few dates, to measure anything on.

        """
        spec = training_set.spec
        is_seen = pc.is_in(training_set.rows["split"], pa.array(["train", "validation"]))
        seen = replace(training_set, rows=training_set.rows.filter(is_seen))
        known = seen.all_examples()
        days = known.rows[training_set.date_column].to_numpy().astype("datetime64[D]")
        matured = known.rows["matured_on"].to_numpy().astype("datetime64[D]")
        if len(days) < settings.min_train_rows:
            raise TuningError(
                f"{spec.model_name} cannot be tuned: it has {len(days)} mature rows to train and "
                f"validate on, and min_train_rows asks for {settings.min_train_rows}. Load more "
                "history, or wait for labels to mature."
            )
        folds = tuple(
            time_folds(days, matured, known.labels, budget.tuning_folds, settings.min_class_rows)
        )
        if not folds:
            raise TuningError(
                f"{spec.model_name} cannot be tuned: its {len(days)} train and validation rows, of "
                f"{len(np.unique(days))} dates, give no fold with {settings.min_class_rows} labels "
                "of each class to learn from, to choose on and to measure on (min_class_rows). "
                "Load more history."
            )
        # The library's version apart, this is all that the trials depend on.
        asked = {
            "rows": seen.hash(),
            "dates": training_set_hash(known.rows.select([training_set.date_column, "matured_on"])),
            "spec": asdict(spec),
            "space": [asdict(searched) for searched in SEARCH_SPACE],
            "budget": asdict(budget),
            "seed": settings.random_seed,
            "min_class_rows": settings.min_class_rows,
            "library_versions": tuning_versions(),
        }
        study_id = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
        return cls(spec, known, folds, days, settings, budget, study_id)

    def attempts(self) -> list[Attempt]:
        """Every trial, in order; the first is of the project's own parameters.

        Tree-structured Parzen estimators suggest what to try (Bergstra et al. 2011, in Optuna), by
        the seed. After the random trials, one whose first folds lie below the median of the
        earlier ones is stopped.
        """
        optuna = _optuna()
        attempts: list[Attempt] = []

        def run(trial: Trial) -> float:
            attempt = self._attempt(trial)
            attempts.append(attempt)
            if attempt.value is None:
                raise optuna.TrialPruned
            return attempt.value

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(
                seed=self.settings.random_seed, n_startup_trials=RANDOM_TRIALS
            ),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS),
        )
        study.enqueue_trial(DEFAULTS)
        study.optimize(run, n_trials=self.budget.tuning_trials)
        return attempts

    def _attempt(self, trial: Trial) -> Attempt:
        values = {searched.name: _suggested(trial, searched) for searched in SEARCH_SPACE}
        fold_values: list[float] = []
        fold_rounds: list[int] = []
        for step, fold in enumerate(self.folds):
            value, rounds = self.measure(values, fold)
            fold_values.append(value)
            fold_rounds.append(rounds)
            trial.report(float(np.mean(fold_values)), step)
            if step + 1 < len(self.folds) and trial.should_prune():
                return Attempt(values, tuple(fold_values), tuple(fold_rounds), False)
        return Attempt(values, tuple(fold_values), tuple(fold_rounds), True)

    def measure(self, values: dict[str, Any], fold: Fold) -> tuple[float, int]:
        """The primary metric of a model with these parameters on a fold, and its rounds."""
        train, validation, test = (
            Examples(self.rows_known.rows.take(pa.array(places)), self.rows_known.labels[places])
            for places in (fold.train, fold.validation, fold.test)
        )
        # A refit repeats what was found, six times; it finds nothing.
        settings = replace(self.settings, refit_on_validation=False)
        recipe = Trees(Tuned(self.study_id, values))
        model = recipe.fit(train, validation, self.spec.features, settings)
        scores = model.score(test.rows, settings.threads(len(train.labels)))
        value = RankedScores(test.labels, scores).measure(
            self.spec.primary_metric, threshold=model.threshold
        )
        # A fold has both classes, so that every metric has a value.
        return float(value or 0.0), model.rounds

    def rows(self, number: int, hash_of_training_set: str) -> list[dict[str, Any]]:
        """The trials as rows of TRIALS_SCHEMA; of equal ones the first is best."""
        attempts = self.attempts()
        values = [-np.inf if one.value is None else one.value for one in attempts]
        best = int(np.argmax(values))
        shared = {
            "model_name": self.spec.model_name,
            "study_number": number,
            "study_id": self.study_id,
            "tuned_at": self.settings.run_started_at,
            "primary_metric": self.spec.primary_metric,
            "folds": json.dumps([self._described(fold) for fold in self.folds]),
            "training_set_hash": hash_of_training_set,
            "library_versions": json.dumps(tuning_versions(), sort_keys=True),
        }
        return [
            shared
            | {
                "trial_number": place,
                "state": "complete" if attempt.is_complete else "stopped",
                "is_best": place == best,
                "parameters": json.dumps(attempt.values, sort_keys=True),
                "value": attempt.value,
                "fold_values": json.dumps([round(value, 9) for value in attempt.fold_values]),
                "fold_rounds": json.dumps(attempt.fold_rounds),
            }
            for place, attempt in enumerate(attempts)
        ]

    def _described(self, fold: Fold) -> dict[str, Any]:
        parts = {"train": fold.train, "validation": fold.validation, "held_out": fold.test}
        described: dict[str, Any] = {}
        for name, places in parts.items():
            described |= {
                f"{name}_from_on": str(self.days[places].min()),
                f"{name}_to_on": str(self.days[places].max()),
                f"{name}_rows": len(places),
            }
        return described


def time_folds(days: Days, matured: Days, labels: Labels, count: int, least: int) -> Iterator[Fold]:
    """Folds of whole dates that follow one another, the newest first.

    Each is measured on the newest dates before those of the fold before it. It is chosen on the
    newest dates whose labels were final then, and learns from all dates whose labels were final
    when choosing began, so that no label window reaches into later rows (Lopez de Prado, Advances
    in Financial Machine Learning, 2018, chapter 7). One with a part of fewer than `least` labels of
    a class is left out.

    Args:
        days: dates of the rows.
        matured: days on which their labels became final.
        labels: outcomes.
        count: number of folds at most.
        least: labels of each class that train, validation and held-out rows need.

    """
    left = np.ones(len(days), dtype=np.bool_)
    for _ in range(count):
        if not left.any():
            return
        held_out_from = _newest_from(days[left], HELD_OUT_SHARE * len(days))
        held_out = left & (days >= held_out_from)
        left &= days < held_out_from
        final = left & (matured <= held_out_from)
        if not final.any():
            return
        chosen_from = _newest_from(days[final], VALIDATION_SHARE * np.sum(final))
        chosen = final & (days >= chosen_from)
        learned = final & (days < chosen_from) & (matured <= chosen_from)
        places = [np.flatnonzero(part) for part in (learned, chosen, held_out)]
        positives = [int(np.sum(labels[part])) for part in places]
        if all(
            least <= found <= len(part) - least
            for found, part in zip(positives, places, strict=True)
        ):
            yield Fold("tuning", str(held_out_from), *places)


def _newest_from(days: Days, rows: float) -> np.datetime64:
    """The first of the newest dates that together hold so many rows; of all, where none do."""
    dates, counts = np.unique(days, return_counts=True)
    held = np.cumsum(counts[::-1])
    place = min(int(np.searchsorted(held, rows)), len(dates) - 1)
    first: np.datetime64 = dates[::-1][place]
    return first


def _suggested(trial: Trial, searched: Range) -> float | int:
    if searched.is_whole:
        return int(trial.suggest_int(searched.name, int(searched.low), int(searched.high)))
    value = trial.suggest_float(searched.name, searched.low, searched.high, log=searched.is_log)
    return float(f"{value:.{SHOWN_DIGITS}g}")


def tuning_versions() -> dict[str, str]:
    """Versions of what the trials depend on."""
    return library_versions() | {"optuna": str(_optuna().__version__)}


def _optuna() -> Any:
    """Optuna, which only `make tune` installs.

    Raises:
        TuningError: it is not installed.

    """
    try:
        # Optuna keeps the errors of imports that it can do without, and these the frames of whoever
        # imported it: a thread of its own has none that hold the database open.
        with ThreadPoolExecutor(1) as thread:
            optuna = thread.submit(import_module, "optuna").result()
    except ImportError as error:
        raise TuningError(
            "Optuna is not installed, with which parameters are searched; `make tune` installs it."
        ) from error
    return optuna
