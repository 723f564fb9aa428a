"""Decide, for each model of a task, whether to train, and whether what was trained may serve.

One build appends one row per model to the decision log. A row says what was decided, why, on which
data, how good the model is beside its baselines, and holds the trained model itself.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sklearn
import xgboost

from customer_insights import __version__
from customer_insights.alike import effective_rows, subjects_of
from customer_insights.calibration import Calibration, measure_calibration
from customer_insights.catalog import ModelSpec, read_specs
from customer_insights.engine import Relation, encode_repeated_texts, table_of
from customer_insights.evaluation import (
    Baselines,
    Comparison,
    Performance,
    compare,
    model_scored,
)
from customer_insights.fingerprint import training_set_hash
from customer_insights.metrics import UNDEFINED, Interval
from customer_insights.model import (
    Examples,
    TrainedModel,
    artifact_hash,
    check_version,
    is_whole,
    newest_trained,
)
from customer_insights.monitoring.drift import FeatureDrift, measure_feature_drift
from customer_insights.recipe import TREES, Model, Recipe, Trees
from customer_insights.retraining import (
    ANSWERED_FOR_GOOD,
    Champion,
    Situation,
    Trigger,
    evaluate_triggers,
)
from customer_insights.settings import Settings, read_settings
from customer_insights.trial import run_trial
from customer_insights.tuned_parameters import read_best, study_of, to_train_with

SPLITS = ("train", "validation", "test")
VERSION = "label_definition_version"
# What a decision states the model's lead over.
RIVALS = ("constant", "best_single_feature", "champion")

# Triggers by which what was learned no longer holds. Rows from before teach what is wrong then.
TURNED = {"fallen_metric", "low_f1", "miscalibrated"}
# Days of new rows that are enough to train, validate and test on alone. As-of dates, whose label
# windows overlap, are weeks apart or more, and never come as densely.
MIN_RECENT_DAYS = 28

_text, _date, _count, _real, _flag = (
    pa.string(),
    pa.date32(),
    pa.int64(),
    pa.float64(),
    pa.bool_(),
)

RUN_SCHEMA = pa.schema(
    [
        ("model_run_id", _text),
        ("model_name", _text),
        ("decision_number", pa.int32()),
        ("model_version", _text),
        ("decided_at", pa.timestamp("us")),
        ("decision", _text),
        ("reason", _text),
        ("is_champion", _flag),
        *[(f"{split}_{edge}_on", _date) for split in SPLITS for edge in ("from", "to")],
        *[(f"{split}_{what}", _count) for split in SPLITS for what in ("rows", "positives")],
        ("train_effective_rows", _count),
        ("test_effective_rows", _count),
        ("training_set_hash", _text),
        (VERSION, pa.int32()),
        ("input_hash", _text),
        ("parameters", _text),
        ("feature_names", _text),
        ("triggers", _text),
        ("primary_metric", _text),
        ("threshold", _real),
        *[
            (f"{metric}{edge}", _real)
            for metric in ("roc_auc", "pr_auc", "f1", "brier")
            for edge in ("", "_low", "_high")
        ],
        *[(metric, _real) for metric in ("precision", "recall", "accuracy", "mcc", "log_loss")],
        ("constant_f1", _real),
        ("constant_pr_auc", _real),
        ("constant_brier", _real),
        ("best_single_feature", _text),
        ("best_single_feature_roc_auc", _real),
        ("best_single_feature_pr_auc", _real),
        ("leaking_features", _text),
        *[
            (f"lead_over_{other}{edge}", _real)
            for other in RIVALS
            for edge in ("", "_low", "_high")
        ],
        ("profile", _text),
        ("slices", _text),
        ("importance", _text),
        ("boosting_rounds", pa.int32()),
        ("library_versions", _text),
        ("artifact_sha256", _text),
        ("artifact", pa.binary()),
    ]
)
Row = dict[str, Any]


def train_task(
    task: str,
    *,
    keys: Sequence[str],
    date_column: str,
    run_context: Relation,
    model_features: Relation,
    training_set: Relation,
    past: Relation | None,
    alike: Sequence[str] = (),
    recipe: Recipe = TREES,
    tuning_trials: Relation | None = None,
) -> pa.Table:
    """One decision per model of the task, as a table of RUN_SCHEMA to append to `past`.

    Args:
        task: name of the task in the model catalog.
        keys: columns that identify a row of the training set.
        date_column: date of a row, by which windows are told.
        run_context: this run's settings.
        model_features: which features each model uses.
        training_set: mature rows with `split`, label, keys, date and features.
        past: the decisions of earlier builds; None on the first.
        alike: columns such that rows with one value are alike; none where each row is its own.
        recipe: the kind of model.
        tuning_trials: what searches for the parameters of trees found; None: not tuned.

    """
    settings = read_settings(run_context)
    specs = read_specs(model_features, task, run_context)
    features = sorted({name for spec in specs for name in spec.feature_names})
    labels = sorted({spec.label_name for spec in specs})
    columns = dict.fromkeys(
        ["split", *keys, *alike, date_column, VERSION, *labels, *features, *recipe.columns]
    )
    source = training_set.sorted_by(*keys).select(*columns)
    fingerprint = training_set.select(*columns).fingerprint()
    past_rows = _past_by_model(past)
    best = read_best(tuning_trials)
    decisions = []
    rows = None
    for spec in specs:
        own_past = past_rows.get(spec.model_name, [])
        tuned = to_train_with(best.get(spec.model_name), own_past, _serving(own_past))
        used = recipe.with_parameters(tuned) if tuned and isinstance(recipe, Trees) else recipe
        asked = input_hash(fingerprint, spec, used, settings)
        decision = decided_before(asked, spec, own_past, settings)
        if decision is None:
            rows = _read(source, keys) if rows is None else rows
            known = TrainingSet.of(rows, keys, date_column, spec, used, alike)
            decision = decide(spec, known, own_past, settings)
        decisions.append(decision | {"input_hash": asked})
    return table_of(decisions, RUN_SCHEMA)


def _read(source: Relation, keys: Sequence[str]) -> pa.Table:
    rows = source.read()
    return encode_repeated_texts(rows, {*rows.column_names} - {*keys})


def input_hash(rows: str, spec: ModelSpec, recipe: Recipe, settings: Settings) -> str:
    """Fingerprint of all that a decision is made from, apart from earlier decisions.

    Args:
        rows: fingerprint of the training set.
        spec: the model.
        recipe: the kind of model.
        settings: this run's settings; when it started and how many threads it may use do not count.

    """
    counted = asdict(settings)
    del counted["run_started_at"], counted["training_threads"]
    asked = {
        "rows": rows,
        "spec": asdict(spec),
        "parameters": _parameters(spec, recipe, settings),
        "settings": counted,
        "library_versions": library_versions(),
    }
    return hashlib.md5(
        json.dumps(asked, sort_keys=True).encode(), usedforsecurity=False
    ).hexdigest()


def decided_before(
    asked: str, spec: ModelSpec, past: Sequence[Row], settings: Settings
) -> Row | None:
    """The decision where nothing has changed since the newest one; None where something has.

    A champion that is not what was stored has changed. No row is read for it: a decision to keep is
    made again as it was. A version that was promoted has learned from, or was tested on, every row
    there is, so no row is new to it. What a person decided was made from no rows and has no hash.
    """
    if not past or past[-1].get("input_hash") != asked:
        return None
    served = _serving(past)
    if served and not is_whole(served):
        return None
    last = past[-1]
    row = _empty_row(spec, past, settings)
    if last["decision"] in ("kept", "pinned", "not_enough_labels"):
        own = ("model_run_id", "decision_number", "decided_at")
        return last | {name: row[name] for name in own}
    if last["decision"] != "trained_promoted":
        return None
    carried = ("training_set_hash", VERSION, "parameters", "feature_names", "model_version")
    row |= {name: last[name] for name in carried} | {"is_champion": True}
    situation = Situation(
        spec,
        settings,
        _champion(spec, last, past),
        None,
        last["test_to_on"],
        study_id=study_of(last["parameters"]),
    )
    triggers = evaluate_triggers(situation)
    fired = [trigger for trigger in triggers if trigger.is_fired]
    row |= {
        "triggers": json.dumps([asdict(trigger) for trigger in triggers]),
        "decision": "kept",
        "reason": _why_kept(fired, None),
    }
    _describe_serving(row, last)
    return row | {"test_rows": 0, "test_positives": 0, "test_effective_rows": 0}


def _past_by_model(past: Relation | None) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    if past is not None:
        for row in past.sorted_by("model_name", "decision_number").read().to_pylist():
            found.setdefault(row["model_name"], []).append(row)
    return found


@dataclass(frozen=True)
class TrainingSet:
    """Mature rows in key order, as one model sees them.

    `others` are those whose label is unknown, where the recipe learns from these, too. Rows with
    one value in a column of `alike` are alike, as the sessions of one visitor.
    """

    rows: pa.Table
    keys: tuple[str, ...]
    date_column: str
    spec: ModelSpec
    recipe: Recipe
    others: pa.Table | None = None
    alike: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        rows: pa.Table,
        keys: Sequence[str],
        date_column: str,
        spec: ModelSpec,
        recipe: Recipe = TREES,
        alike: Sequence[str] = (),
    ) -> TrainingSet:
        """Rows whose label is known: an unknown one is not a negative one."""
        others = None
        if rows[spec.label_name].null_count or recipe.keeps_unlabelled:
            is_known = pc.is_valid(rows[spec.label_name])
            others = rows.filter(pc.invert(is_known)) if recipe.keeps_unlabelled else None
            rows = rows.filter(is_known)
        return cls(rows, tuple(keys), date_column, spec, recipe, others, tuple(alike))

    def examples(self, split: str) -> Examples:
        """The rows of one split, with their labels."""
        examples = replace(
            self._examples(self._of(self.rows, split)),
            subjects=subjects_of(self.alike_rows(split), self.alike),
        )
        if self.others is None:
            return examples
        return replace(examples, others=self._of(self.others, split))

    def after(self, day: date) -> TrainingSet:
        """The rows of later days, of those whose label is known."""
        later = pc.greater(self.rows[self.date_column], pa.scalar(day))
        return replace(self, rows=self.rows.filter(later), others=None)

    def recent(self, day: date) -> TrainingSet | None:
        """Later days as a training set of their own; None where they are too few.

        The first half of the days is to train on, a quarter each to validate and to test on.
        """
        if self.recipe.keeps_unlabelled:
            return None
        later = self.after(day)
        days = pc.unique(later.rows[self.date_column]).sort()
        span = (days[-1].as_py() - days[0].as_py()).days + 1 if len(days) else 0
        if len(days) < MIN_RECENT_DAYS or len(days) < span / 2:
            return None
        on = later.rows[self.date_column]
        split = pc.case_when(
            pc.make_struct(
                pc.less(on, days[len(days) // 2]), pc.less(on, days[len(days) * 3 // 4])
            ),
            *SPLITS,
        )
        place = later.rows.column_names.index("split")
        return replace(later, rows=later.rows.set_column(place, "split", split))

    def all_examples(self) -> Examples:
        """All rows, with their labels."""
        subjects = subjects_of(self.rows, self.alike)
        return replace(self._examples(self.rows), subjects=subjects)

    def _examples(self, rows: pa.Table) -> Examples:
        labels = rows[self.spec.label_name].combine_chunks().to_numpy(zero_copy_only=False)
        return Examples(rows, labels.astype(np.bool_))

    def _of(self, rows: pa.Table, split: str) -> pa.Table:
        """The rows of one split, without their keys, which weigh more than all features."""
        columns = [self.date_column, self.spec.label_name, *self._learned_columns()]
        is_of_split = pc.equal(rows["split"], split)
        return rows.select(list(dict.fromkeys(columns))).filter(is_of_split)

    def alike_rows(self, split: str) -> pa.Table:
        """What tells which rows of a split are alike."""
        rows = self.rows.select(["split", *self.alike])
        return rows.filter(pc.equal(rows["split"], split))

    def _learned_columns(self) -> list[str]:
        return [*self.spec.feature_names, *self.recipe.columns]

    def hash(self) -> str:
        """Fingerprint of the keys, splits, label and what this model learns from."""
        columns = [*self.keys, "split", self.spec.label_name, *self._learned_columns()]
        rows = self.rows.select(columns)
        if self.others is not None:
            rows = pa.concat_tables([rows, self.others.select(columns)])
        return training_set_hash(rows)

    def window(self, rows: pa.Table) -> tuple[date | None, date | None]:
        """First and last day of some rows; None for no rows."""
        bounds = pc.min_max(rows[self.date_column]).as_py()
        return bounds["min"], bounds["max"]

    def label_definition_version(self) -> int | None:
        """The definition under which the labels were made."""
        newest: int | None = pc.max(self.rows[VERSION]).as_py()
        return newest


def decide(
    spec: ModelSpec, training_set: TrainingSet, past: Sequence[Row], settings: Settings
) -> Row:
    """The decision of this build for one model, as a row of RUN_SCHEMA."""
    splits = {split: training_set.examples(split) for split in SPLITS}
    served, pin = _serving(past), _pinned_by(past)
    row = _empty_row(spec, past, settings)
    row["training_set_hash"] = training_set.hash()
    row[VERSION] = training_set.label_definition_version()
    row["parameters"] = _parameters(spec, training_set.recipe, settings)
    row["feature_names"] = json.dumps(spec.feature_names)
    _describe_splits(row, training_set, splits)
    if served:
        row |= {"model_version": served["model_version"], "is_champion": True}

    situation, recent = _situation(spec, training_set, past, served, row, settings)
    triggers = evaluate_triggers(situation)
    row["triggers"] = json.dumps([asdict(trigger) for trigger in triggers])
    lack = _what_is_lacking(splits, training_set.recipe, settings)
    if lack and pin is None:
        return row | {"decision": "not_enough_labels", "reason": lack}

    fired = [trigger for trigger in triggers if trigger.is_fired]
    asking = _unanswered(fired, row, past, served)
    if pin is None and asking:
        usual = row | _train(spec, training_set, splits, served, asking, settings)
        if served is None or not _has_turned(asking):
            return usual
        since_turn = training_set.recent(_held_until(past, served))
        return _better(usual, _train_on_recent(spec, row, since_turn, served, asking, settings))

    if pin is None:
        row |= {"decision": "kept", "reason": _why_kept(fired, recent)}
    else:
        row |= {"decision": "pinned", "reason": _why_pinned(pin, fired)}
    if served:
        _describe_serving(row, served)
        _describe_recent(row, training_set, served, recent)
    return row


def _has_turned(fired: Sequence[Trigger]) -> bool:
    return any(trigger.name in TURNED for trigger in fired)


def _held_until(past: Sequence[Row], served: Row) -> date:
    """The newest day up to which what the serving version learned held, as decisions since say."""
    days: list[date] = [served["test_to_on"]]
    for entry in past:
        if entry["decision_number"] > served["decision_number"] and entry["triggers"]:
            triggers = [Trigger(**trigger) for trigger in json.loads(entry["triggers"])]
            is_held = not _has_turned([trigger for trigger in triggers if trigger.is_fired])
            if is_held and entry["test_to_on"]:
                days.append(entry["test_to_on"])
    return max(days)


def _train_on_recent(
    spec: ModelSpec,
    row: Row,
    recent: TrainingSet | None,
    served: Row,
    fired: Sequence[Trigger],
    settings: Settings,
) -> Row | None:
    """What training on rows since the turn alone gives; None where they are too few."""
    if recent is None:
        return None
    splits = {split: recent.examples(split) for split in SPLITS}
    if _what_is_lacking(splits, recent.recipe, settings):
        return None
    # The hash stays that of all rows: by it a question is known that was answered before.
    row = row.copy()
    _describe_splits(row, recent, splits)
    made = _train(spec, recent, splits, served, fired, settings)
    return row | made | {"reason": f"on rows since {row['train_from_on']} alone {made['reason']}"}


def _better(usual: Row, recent: Row | None) -> Row:
    """What may serve of two that were trained; of both, what is further ahead of the champion."""
    if recent is None or not recent["is_champion"]:
        return usual
    ahead = [row["lead_over_champion"] or 0.0 for row in (usual, recent)]
    return usual if usual["is_champion"] and ahead[0] >= ahead[1] else recent


def _empty_row(spec: ModelSpec, past: Sequence[Row], settings: Settings) -> Row:
    number = 1 + max((entry["decision_number"] for entry in past), default=0)
    return dict.fromkeys(RUN_SCHEMA.names) | {
        "model_run_id": f"{spec.model_name}-{number}",
        "model_name": spec.model_name,
        "decision_number": number,
        "decided_at": settings.run_started_at,
        "is_champion": False,
        "primary_metric": spec.primary_metric,
        "library_versions": json.dumps(library_versions(), sort_keys=True),
    }


def library_versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {
        "customer_insights": __version__,
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "xgboost": xgboost.__version__,
    }


def _parameters(spec: ModelSpec, recipe: Recipe, settings: Settings) -> str:
    """All that the answer depends on beside the data: how it is learned, what the gate asks."""
    return json.dumps(
        recipe.parameters(settings)
        | {
            "label_settings": dict(spec.label_settings),
            "features_allowed_to_leak": [f.name for f in spec.features if f.may_leak],
            "leak_roc_auc": settings.leak_roc_auc,
            "primary_metric": spec.primary_metric,
            "promotion_margin": settings.promotion_margin,
        },
        sort_keys=True,
    )


def _describe_splits(row: Row, training_set: TrainingSet, splits: dict[str, Examples]) -> None:
    for split, examples in splits.items():
        first, last = training_set.window(examples.rows)
        row |= {
            f"{split}_from_on": first,
            f"{split}_to_on": last,
            f"{split}_rows": len(examples.labels),
            f"{split}_positives": int(np.sum(examples.labels)),
        }
    for split in ("train", "test"):
        row[f"{split}_effective_rows"] = effective_rows(
            training_set.alike_rows(split), training_set.alike
        )


def _what_is_lacking(splits: dict[str, Examples], recipe: Recipe, settings: Settings) -> str | None:
    rows = len(splits["train"].labels)
    setting, least = recipe.least_rows(settings)
    if rows < least:
        return (
            f"{rows} mature rows to train on; {setting} asks for {least}. "
            "Load more history, or wait for labels to mature."
        )
    for split, examples in splits.items():
        positives = int(np.sum(examples.labels))
        negatives = len(examples.labels) - positives
        if examples.smaller_class < settings.min_class_rows:
            return (
                f"the {split} rows have {positives} positive and {negatives} negative labels; "
                f"min_class_rows asks for {settings.min_class_rows} of each. Load more history, "
                f"or widen the windows with {' and '.join(recipe.window_settings)}."
            )
    return None


def _serving(past: Sequence[Row]) -> Row | None:
    """The decision that made the serving version, found through the newest champion row."""
    champions = [entry for entry in past if entry["is_champion"]]
    if not champions:
        return None
    return newest_trained(past, champions[-1]["model_name"], champions[-1]["model_version"])


def _pinned_by(past: Sequence[Row]) -> Row | None:
    """The decision of a person since which the serving version is pinned; None where it is not."""
    pin = None
    for entry in past:
        if entry["decision"] == "unpinned":
            pin = None
        elif entry["decision"] == "rolled_back" or (entry["decision"] == "pinned" and pin is None):
            pin = entry
    return pin


def load_model(row: Row) -> TrainedModel:
    """The trees that a decision trained.

    Raises:
        ArtifactError: they were changed after they were stored.

    """
    check_version(row)
    return TREES.load(row["artifact"], row["artifact_sha256"])


def _load(recipe: Recipe, served: Row) -> Model:
    check_version(served)
    return recipe.load(served["artifact"], served["artifact_sha256"])


def _situation(
    spec: ModelSpec,
    training_set: TrainingSet,
    past: Sequence[Row],
    served: Row | None,
    row: Row,
    settings: Settings,
) -> tuple[Situation, Performance | None]:
    newest_on: date = pc.max(training_set.rows[training_set.date_column]).as_py()
    champion, recent, calibration, drift = None, None, None, None
    if served:
        champion = _champion(spec, served, past)
        # A pinned champion may have no mature row left: then nothing is newer than what it knows.
        newest_on = newest_on or champion.challenged_on
        if _is_same_label(served, spec):
            recent, calibration = _recent(spec, training_set, served, settings)
            drift = _drift(training_set, served, settings)
    study = study_of(row["parameters"])
    situation = Situation(spec, settings, champion, recent, newest_on, calibration, study, drift)
    return situation, recent


def _champion(spec: ModelSpec, served: Row, past: Sequence[Row]) -> Champion:
    return Champion(
        model_version=served["model_version"],
        feature_names=tuple(json.loads(served["feature_names"])),
        label_settings=_label_settings(served),
        challenged_on=max(entry["test_to_on"] for entry in past if entry["artifact_sha256"]),
        primary=Interval(
            *(served[f"{spec.primary_metric}{edge}"] for edge in ("", "_low", "_high"))
        ),
        study_id=study_of(served["parameters"]),
    )


def _recent(
    spec: ModelSpec, training_set: TrainingSet, served: Row, settings: Settings
) -> tuple[Performance | None, Calibration | None]:
    """The champion on mature rows that are new to it; None where they are too few."""
    recent = training_set.after(served["test_to_on"]).all_examples()
    model = _load(training_set.recipe, served)
    if recent.smaller_class < settings.min_class_rows:
        return None, None
    if not {column.name for column in model.inputs} <= set(recent.rows.column_names):
        return None, None
    scored = model_scored(model, recent.rows, settings)
    comparison = compare(
        recent.labels,
        scored,
        {},
        primary_metric=spec.primary_metric,
        replicates=settings.bootstrap_replicates,
        seed=settings.random_seed,
        subjects=recent.subjects,
    )
    calibration = measure_calibration(
        recent.labels, scored.scores, served["validation_rows"], recent.subjects
    )
    return comparison.performance, calibration


def _drift(
    training_set: TrainingSet, served: Row, settings: Settings
) -> tuple[FeatureDrift, ...] | None:
    """Of the champion's features on mature rows that are new to it; None where they are too few.

    Monitoring looks at the newest rows, too, whose outcomes nobody knows: from those nothing could
    be learned yet.
    """
    later = training_set.recipe.watched(training_set.after(served["test_to_on"]).rows)
    # A version that was trained before profiles were stored has none.
    if not served["profile"]:
        return None
    left = effective_rows(later, training_set.alike)
    if left < settings.drift_min_rows:
        return None
    return measure_feature_drift(
        served["profile"],
        later,
        settings.drift_normal_deviate,
        design_effects=(
            _design_effect(served["train_rows"], served.get("train_effective_rows")),
            _design_effect(later.num_rows, left),
        ),
    )


def _design_effect(rows: int, left: int | None) -> float:
    """Rows for each that stands for itself; 1 where an earlier release has not counted those."""
    return rows / left if left else 1.0


def _describe_serving(row: Row, served: Row) -> None:
    """A kept row tells of the serving version: its threshold and the windows it learned from."""
    row |= {
        name: served[name]
        for split in ("train", "validation")
        for name in (f"{split}_from_on", f"{split}_to_on", f"{split}_rows", f"{split}_positives")
    }
    row["train_effective_rows"] = served.get("train_effective_rows")
    row["threshold"] = served["threshold"]


def _describe_recent(
    row: Row, training_set: TrainingSet, served: Row, recent: Performance | None
) -> None:
    """And of the rows since its test."""
    later = training_set.after(served["test_to_on"]).all_examples()
    first, last = training_set.window(later.rows)
    row |= {
        "test_from_on": first,
        "test_to_on": last,
        "test_rows": len(later.labels),
        "test_positives": int(np.sum(later.labels)),
        "test_effective_rows": effective_rows(later.rows, training_set.alike),
    }
    if recent:
        row |= _metrics(recent)


def _unanswered(
    fired: Sequence[Trigger], row: Row, past: Sequence[Row], served: Row | None
) -> list[Trigger]:
    """The triggers that no training has answered since the serving version was trained.

    A question is the training set, the features and the parameters, those of the gate included.
    What was trained on it answers every trigger. Beyond that, drift and scores that are off are
    answered by a challenger, whatever rows come after: it is promoted for ranking better, so
    another one a day later would be asked the same for nothing, and once in a while win by chance.
    """
    question = ("feature_names", "parameters")
    since = served["decision_number"] if served else 0
    answers = [
        entry
        for entry in past
        if entry["artifact"] is not None
        and entry["decision_number"] >= since
        and all(entry[name] == row[name] for name in question)
    ]
    if any(entry["training_set_hash"] == row["training_set_hash"] for entry in answers):
        return []
    answered = {
        trigger["name"]
        for entry in answers
        if entry["decision_number"] > since
        for trigger in json.loads(entry["triggers"])
        if trigger["is_fired"] and trigger["name"] in ANSWERED_FOR_GOOD
    }
    return [trigger for trigger in fired if trigger.name not in answered]


def _why_kept(fired: Sequence[Trigger], recent: Performance | None) -> str:
    if fired:
        names = ", ".join(trigger.name for trigger in fired)
        return f"nothing new: {names} was answered by training before"
    measured = "no new mature rows to measure" if recent is None else f"{recent.rows} new rows"
    return f"no trigger fired ({measured})"


def _why_pinned(pin: Row, fired: Sequence[Trigger]) -> str:
    wanted = "; ".join(trigger.message for trigger in fired)
    return (
        f"nothing is trained since decision {pin['decision_number']} ({pin['reason']}); "
        f"{f'unpinned, it would be, because {wanted}' if fired else 'no trigger fired'}"
    )


def _train(
    spec: ModelSpec,
    training_set: TrainingSet,
    splits: dict[str, Examples],
    served: Row | None,
    asking: Sequence[Trigger],
    settings: Settings,
) -> Row:
    recipe = training_set.recipe
    trial = run_trial(spec, splits["train"], splits["validation"], splits["test"], settings, recipe)
    model = trial.model
    lead = trial.comparison.lead | {
        "champion": _lead_over_champion(spec, training_set, model, served, settings)
    }
    objections = _objections(spec, trial.baselines, lead, served, settings)
    artifact = model.to_bytes()
    sha256 = artifact_hash(artifact)
    test_to_on = training_set.window(trial.test.rows)[1]
    model_version = f"{test_to_on}-{sha256[:8]}"
    why = "; ".join(trigger.message for trigger in asking)
    verdict = _verdict(spec, trial.comparison, lead) if not objections else "; ".join(objections)
    row = {
        "model_version": model_version,
        "decision": "trained_rejected" if objections else "trained_promoted",
        "reason": f"trained because {why}; {'rejected' if objections else 'promoted'}: {verdict}",
        "is_champion": not objections,
        "threshold": model.threshold,
        **trial.baseline_columns(),
        "leaking_features": json.dumps(trial.baselines.leaking_features),
        **recipe.profile(model, spec.features, splits["train"], trial.test, trial.scored.scores),
        "importance": recipe.importance(model, trial.test, trial.scored.scores, settings),
        "boosting_rounds": model.rounds,
        "artifact_sha256": sha256,
        "artifact": artifact,
    }
    for other in RIVALS:
        row |= lead[other].columns(f"lead_over_{other}")
    return row | _metrics(trial.comparison.performance)


def _lead_over_champion(
    spec: ModelSpec,
    training_set: TrainingSet,
    model: Model,
    served: Row | None,
    settings: Settings,
) -> Interval:
    """The challenger's lead on test rows that neither model has seen; undefined without a rival.

    A champion that uses what the catalog no longer allows, or that predicts what the label meant
    before, is no rival: it has to go.
    """
    if served is None or not _is_rival(served, spec):
        return UNDEFINED
    champion = _load(training_set.recipe, served)
    fresh = training_set.after(served["validation_to_on"]).examples("test")
    if fresh.smaller_class < settings.min_class_rows:
        return UNDEFINED
    comparison = compare(
        fresh.labels,
        model_scored(model, fresh.rows, settings),
        {"champion": model_scored(champion, fresh.rows, settings)},
        primary_metric=spec.primary_metric,
        replicates=settings.bootstrap_replicates,
        seed=settings.random_seed,
        subjects=fresh.subjects,
    )
    return comparison.lead["champion"]


def _is_rival(served: Row, spec: ModelSpec) -> bool:
    """Whether the champion predicts the same, and the catalog still allows all that it uses."""
    is_allowed = set(json.loads(served["feature_names"])) <= set(spec.feature_names)
    return is_allowed and _is_same_label(served, spec)


def _label_settings(served: Row) -> dict[str, Any]:
    """What the label of the champion meant, as far as its decision says."""
    settings: dict[str, Any] = json.loads(served["parameters"]).get("label_settings", {})
    return settings


def _is_same_label(served: Row, spec: ModelSpec) -> bool:
    meant = _label_settings(served)
    return all(meant.get(name, value) == value for name, value in spec.label_settings)


def _objections(
    spec: ModelSpec,
    baselines: Baselines,
    lead: dict[str, Interval],
    served: Row | None,
    settings: Settings,
) -> list[str]:
    """Every reason why a trained model may not serve; none means promotion.

    A model that is ahead of the champion beyond noise need not be ahead of the best single feature
    beyond noise, too: refused, it would leave the worse of two models serving.
    """
    is_contested = served is not None and _is_rival(served, spec)
    replaces = is_contested and _is_ahead(lead["champion"], settings.promotion_margin)
    objections = [
        f"feature {name} alone has a ROC-AUC above {settings.leak_roc_auc} and feature_catalog.csv "
        "gives no leak_reason for it"
        for name in baselines.leaking_features
    ]
    objections += [
        f"{spec.primary_metric} is not above that of the {other.replace('_', ' ')} beyond noise "
        f"(lead {_shown(lead[other])})"
        for other in ("constant", "best_single_feature")
        if not _is_ahead(lead[other], 0.0)
        and not (other == "best_single_feature" and replaces and (lead[other].value or 0.0) > 0)
    ]
    if is_contested and not replaces:
        objections.append(
            f"{spec.primary_metric} is not above the champion's by more than "
            f"{settings.promotion_margin} beyond noise (lead {_shown(lead['champion'])})"
        )
    return objections


def _is_ahead(lead: Interval, margin: float) -> bool:
    return lead.value is not None and lead.low is not None and lead.value > margin and lead.low > 0


def _verdict(spec: ModelSpec, comparison: Comparison, lead: dict[str, Interval]) -> str:
    shown = ", ".join(
        f"{_shown(margin)} over the {other.replace('_', ' ')}"
        for other, margin in lead.items()
        if margin.value is not None
    )
    metric = comparison.performance.metric(spec.primary_metric)
    return f"{spec.primary_metric} {_shown(metric)}, a lead of {shown}"


def _shown(metric: Interval) -> str:
    if metric.value is None or metric.low is None or metric.high is None:
        return "unknown: too few rows"
    return f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"


def _metrics(measured: Performance) -> Row:
    row: Row = {"log_loss": measured.log_loss}
    for name in ("roc_auc", "pr_auc", "f1", "brier"):
        row |= getattr(measured, name).columns(name)
    for name in ("precision", "recall", "accuracy", "mcc"):
        row[name] = getattr(measured.confusion, name) if measured.confusion else None
    return row
