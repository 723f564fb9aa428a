"""Which features each model uses, as the `model_features` table resolves the two catalogs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from customer_insights.engine import Relation

FeatureKind = Literal["number", "category", "boolean", "text"]
FEATURE_KINDS: tuple[str, ...] = get_args(FeatureKind)


@dataclass(frozen=True)
class Feature:
    """A column that a model reads.

    `is_calendar` says that it names a time (a month) whose future values training cannot have seen.
    `may_leak` says that the catalog gives a reason why it may predict the label nearly alone.
    `is_baseline` says that the model is held against this feature alone, by name.
    """

    name: str
    kind: FeatureKind
    is_calendar: bool = False
    may_leak: bool = False
    is_baseline: bool = False


@dataclass(frozen=True)
class ModelSpec:
    """What a model predicts, from what, and by which metric it is judged.

    `label_settings` are the settings that say what the label means, with their values.
    """

    model_name: str
    label_name: str
    primary_metric: str
    features: tuple[Feature, ...]
    label_settings: tuple[tuple[str, Any], ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the model's columns."""
        return tuple(feature.name for feature in self.features)


def read_specs(model_features: Relation, task: str, run_context: Relation) -> list[ModelSpec]:
    """The models of a task, by name; features in the order of their names.

    Args:
        model_features: which features each model uses.
        task: name of the task in the model catalog.
        run_context: this run's settings, of which some say what a label means.

    """
    rows = model_features.equal_to("task", task).sorted_by("model_name", "feature").read()
    specs: dict[str, ModelSpec] = {}
    names_of: dict[str, list[str]] = {}
    for row in rows.to_pylist():
        known = specs.get(row["model_name"])
        feature = Feature(
            name=row["feature"],
            kind=row["kind"],
            is_calendar=row["is_calendar"],
            may_leak=row["leak_reason"] is not None,
            is_baseline=row["is_baseline"],
        )
        names_of[row["model_name"]] = (row["label_settings"] or "").split("|")
        specs[row["model_name"]] = ModelSpec(
            model_name=row["model_name"],
            label_name=row["label_name"],
            primary_metric=row["primary_metric"],
            features=(*(known.features if known else ()), feature),
        )
    return [
        replace(spec, label_settings=_values(run_context, names_of[name]))
        for name, spec in specs.items()
    ]


def _values(run_context: Relation, names: list[str]) -> tuple[tuple[str, Any], ...]:
    known = sorted(name for name in names if name)
    if not known:
        return ()
    (row,) = run_context.select(*known).read().to_pylist()
    return tuple((name, row[name]) for name in known)
