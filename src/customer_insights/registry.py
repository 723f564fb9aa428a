"""Keeps Snowflake's Model Registry in step with the decision log.

The decision log is the source of truth. One step of a build reads the registry, compares it with
what the log says, and sends what differs: versions to log, the default to set, versions to drop.
A build that is killed between two of these leaves the rest to the next one, and a build with
nothing new only looks.

What is logged is the stored artifact itself: XGBoost's Booster in UBJSON. The packager writes it
with `Booster.save_model`, byte for byte, so the SHA-256 of the file in the registry is the one in
the log. A `CustomModel` could score raw features, but the packager writes its class with
cloudpickle, and this project stores no pickles
(https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/bring-your-own-model-types,
https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/built-in-models/xgboost).
So the registry's `predict` reads encoded features and answers before calibration; whoever loads the
Booster gets the scores of this project to the last bit with :meth:`TrainedModel.from_bytes`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
import xgboost as xgb

from customer_insights.encoding import FloatMatrix
from customer_insights.engine import Relation, table_of
from customer_insights.errors import CustomerInsightsError
from customer_insights.model import TrainedModel, artifact_hash
from customer_insights.training import RUN_SCHEMA, Row, load_model

# What of a decision is no fact about the version that it trained: free text, and what others hold.
_NOT_DESCRIBED = {
    "model_run_id",
    "model_name",
    "reason",
    "is_champion",
    "triggers",
    "profile",
    "slices",
    "importance",
    "artifact",
}
_LOG_COLUMNS = [name for name in RUN_SCHEMA.names if name != "artifact"]
_JSON_COLUMNS = {"parameters", "feature_names", "leaking_features", "library_versions"}
# Every model has these names for versions of its own:
# https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview
_SYSTEM_ALIASES = {"DEFAULT", "FIRST", "LAST"}
_METHOD = "predict"
_OUTPUT = "uncalibrated_probability"
# The packager keeps the row with the fewest nulls of these as the version's sample input.
_SAMPLE_ROWS = 100
# A registry that prints numbers in another way must not look changed at every build.
_SAME_NUMBER = 1e-9

REGISTERED_SCHEMA = pa.schema(
    [
        ("model_name", pa.string()),
        ("model_version", pa.string()),
        ("registry_model_name", pa.string()),
        ("registry_version_name", pa.string()),
        ("status", pa.string()),
        ("is_default", pa.bool_()),
        ("is_in_use", pa.bool_()),
        ("training_set_hash", pa.string()),
        ("artifact_sha256", pa.string()),
        ("registered_at", pa.timestamp("us")),
        ("actions", pa.string()),
    ]
)

Facts = Mapping[str, Any]
Key = tuple[str, str]
ActionKind = Literal["logged", "described", "made_default", "dropped"]


class RegistryError(CustomerInsightsError):
    """The registry cannot be brought in step with the decision log."""


@dataclass(frozen=True)
class TrainedVersion:
    """A version that the decision log says was trained.

    `last_named_number` is the newest decision that trained it or let it serve. `facts` are what the
    registry says of it: metrics, parameters, windows and hashes, as values of JSON.
    """

    model_name: str
    model_version: str
    decision_number: int
    last_named_number: int
    is_serving: bool
    facts: Facts

    @property
    def key(self) -> Key:
        """Names of its model and of itself in the registry."""
        return registry_model_name(self.model_name), registry_version_name(self.model_version)

    @property
    def artifact_sha256(self) -> str:
        """SHA-256 of the trained model."""
        return str(self.facts["artifact_sha256"])


@dataclass(frozen=True)
class RegisteredVersion:
    """A version that the registry holds.

    `is_in_use` says that somebody gave it an alias or serves it, so that it must stay.
    """

    key: Key
    is_default: bool
    is_in_use: bool
    facts: Facts
    registered_at: datetime | None


@dataclass(frozen=True)
class Action:
    """What is to be done to a version in the registry, named by what it then is."""

    kind: ActionKind
    version: TrainedVersion


class ModelRegistry(Protocol):
    """What this module asks of a registry. Models are named as the registry names them."""

    def versions(self, models: Iterable[str]) -> list[RegisteredVersion]:
        """The versions of those of some models that exist."""

    def log(self, version: TrainedVersion, model: TrainedModel, sample: FloatMatrix | None) -> None:
        """Add a version with its description; the first one of a model becomes its default."""

    def describe(self, version: TrainedVersion, model: TrainedModel) -> None:
        """Set the comment and the facts of a version that is there."""

    def artifact_hash(self, version: TrainedVersion) -> str:
        """SHA-256 of the Booster that the registry holds under a version's name."""

    def make_default(self, version: TrainedVersion) -> None:
        """Let a version answer for its model."""

    def drop(self, version: TrainedVersion) -> None:
        """Remove a version that is not the default."""


def register_versions(
    registry: ModelRegistry,
    *,
    keys: Sequence[str],
    run_context: Relation,
    trained: Relation,
    features: Relation,
) -> pa.Table:
    """Bring the registry in step with the decision log; what it then holds.

    Args:
        registry: where versions are registered.
        keys: columns that identify a row of the features.
        run_context: this run's settings.
        trained: the decision log with its artifacts.
        features: rows to take the sample input from.

    Returns:
        A row of REGISTERED_SCHEMA for each trained version, and for each version in the registry
        that the log does not know.

    Raises:
        RegistryError: the registry holds something else under a version's name, or a name of the
            log is none that the registry can have.

    """
    (settings,) = run_context.select("registry_keep_versions").read().to_pylist()
    versions = read_trained_versions(trained)
    models = sorted({version.key[0] for version in versions})
    registered = registry.versions(models) if models else []
    actions = plan_actions(versions, registered, int(settings["registry_keep_versions"]))
    for action in actions:
        _act(action, registry, trained, features.sorted_by(*keys))
    if actions:
        # What is reported is what the registry says, not what it was asked to do.
        registered = registry.versions(models)
    return table_of(_report(versions, registered, actions), REGISTERED_SCHEMA)


def registry_model_name(model_name: str) -> str:
    """The name of a model in the registry: the log's, in upper case.

    Raises:
        RegistryError: no such name can be written without quotes
            (https://docs.snowflake.com/en/sql-reference/identifiers-syntax).

    """
    name = model_name.upper()
    if not re.fullmatch(r"[A-Z_][A-Z0-9_$]{0,254}", name):
        raise RegistryError(
            f"The model name {model_name!r} is no name of Snowflake: rename it in "
            "model_catalog.csv with letters, digits and underscores, a letter first."
        )
    return name


def registry_version_name(model_version: str) -> str:
    """The name of a version in the registry: 2024-12-30-2a189e33 is V2024_12_30_2A189E33.

    A name that is written without quotes starts with a letter, holds letters, digits and
    underscores, and is stored in upper case
    (https://docs.snowflake.com/en/sql-reference/identifiers-syntax).
    """
    return registry_model_name("V" + re.sub(r"[^A-Za-z0-9_]", "_", model_version))


def read_trained_versions(trained: Relation) -> list[TrainedVersion]:
    """The versions of the decision log, in order of model and decision.

    Raises:
        RegistryError: the log is not whole, or two of its versions would have one name.

    """
    log = trained.select(*_LOG_COLUMNS).sorted_by("model_name", "decision_number").read()
    rows: dict[tuple[str, str], Row] = {}
    named: dict[tuple[str, str], int] = {}
    serving: dict[str, str] = {}
    for row in log.to_pylist():
        version = row["model_name"], row["model_version"]
        if row["artifact_sha256"] is not None:
            # The same trees can be trained twice, then under one version; the newest counts.
            rows[version] = row
        if row["is_champion"]:
            serving[row["model_name"]] = row["model_version"]
        if row["artifact_sha256"] is not None or row["is_champion"]:
            named[version] = int(row["decision_number"])
    for version in serving.items():
        if version not in rows:
            raise RegistryError(
                f"Version {version[1]} of {version[0]} serves, but no decision holds its model: "
                "restore the table of trained models from a backup."
            )
    versions = [
        TrainedVersion(
            model_name=version[0],
            model_version=version[1],
            decision_number=int(row["decision_number"]),
            last_named_number=named[version],
            is_serving=serving.get(version[0]) == version[1],
            facts=_facts(row),
        )
        for version, row in rows.items()
    ]
    names: dict[Key, str] = {}
    for each in versions:
        other = names.setdefault(each.key, each.model_version)
        if other != each.model_version:
            raise RegistryError(
                f"Versions {other} and {each.model_version} of {each.model_name} would both be "
                f"{each.key[1]} in the registry."
            )
    return sorted(versions, key=lambda each: (each.model_name, each.decision_number))


def _facts(row: Row) -> Facts:
    """A decision as values of JSON, without what is unknown: JSON has no word for it there."""
    facts = {
        name: json.loads(value) if name in _JSON_COLUMNS else _json_value(value)
        for name, value in row.items()
        if name not in _NOT_DESCRIBED and value is not None
    }
    return {name: value for name, value in facts.items() if value is not None}


def _json_value(value: object) -> object:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def plan_actions(
    trained: Sequence[TrainedVersion], registered: Sequence[RegisteredVersion], keep: int
) -> list[Action]:
    """What brings the registry in step with the log, in an order that may stop anywhere.

    Of each model the serving version and the `keep` retired ones that were named last are wanted.
    A model is registered once a version of it serves: a model in the registry always has a default
    (https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/model-management),
    which would say that a rejected version serves.
    """
    present = {version.key: version for version in registered}
    actions: list[Action] = []
    for serving in (version for version in trained if version.is_serving):
        model = [version for version in trained if version.model_name == serving.model_name]
        retired = sorted(
            (version for version in model if not version.is_serving),
            key=lambda version: version.last_named_number,
            reverse=True,
        )
        dropped = [
            version
            for version in retired[keep:]
            if version.key in present and not present[version.key].is_in_use
        ]
        is_there = any(key[0] == serving.key[0] for key in present)
        is_default = serving.key in present and present[serving.key].is_default
        # The serving version comes first: a model's first version becomes its default, and what
        # becomes the default is known to be the log's model. A default cannot be dropped:
        # https://docs.snowflake.com/en/sql-reference/sql/alter-model-drop-version
        actions += _put_right(serving, present)
        if is_there and not is_default:
            actions.append(Action("made_default", serving))
        for version in sorted(retired, key=lambda version: version.decision_number):
            is_wanted = version in retired[:keep] or version.key in present
            if is_wanted and version not in dropped:
                actions += _put_right(version, present)
        actions += [Action("dropped", version) for version in dropped]
    return actions


def _put_right(version: TrainedVersion, present: Mapping[Key, RegisteredVersion]) -> list[Action]:
    """What a version that is to be in the registry lacks there."""
    if version.key not in present:
        return [Action("logged", version)]
    is_right = is_described(version, present[version.key])
    return [] if is_right else [Action("described", version)]


def is_described(version: TrainedVersion, registered: RegisteredVersion) -> bool:
    """Whether the registry says of a version what the log says; it may say more."""
    return all(
        name in registered.facts and _is_same(registered.facts[name], value)
        for name, value in version.facts.items()
    )


def _is_same(stored: object, expected: object) -> bool:
    if isinstance(expected, Mapping) and isinstance(stored, Mapping):
        return stored.keys() == expected.keys() and all(
            _is_same(stored[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(stored, list):
        return len(stored) == len(expected) and all(map(_is_same, stored, expected))
    numbers = (int, float)
    if isinstance(expected, numbers) and isinstance(stored, numbers):
        return math.isclose(stored, expected, rel_tol=_SAME_NUMBER)
    return stored == expected


def _act(action: Action, registry: ModelRegistry, trained: Relation, features: Relation) -> None:
    version = action.version
    if action.kind == "logged":
        model = _stored_model(trained, version)
        registry.log(version, model, _sample(model, features))
    elif action.kind == "described":
        # A version without its description was left by a build that was killed, or made by hand:
        # only the model itself tells which.
        found = registry.artifact_hash(version)
        if found != version.artifact_sha256:
            raise RegistryError(
                f"Version {version.key[1]} of {version.key[0]} in the registry is another model "
                f"than the decision log's (sha256 {found}, not {version.artifact_sha256}): find "
                "out who made it, drop it, and build again."
            )
        registry.describe(version, _stored_model(trained, version))
    elif action.kind == "made_default":
        registry.make_default(version)
    else:
        registry.drop(version)


def _stored_model(trained: Relation, version: TrainedVersion) -> TrainedModel:
    (row,) = (
        trained.equal_to("model_name", version.model_name)
        .equal_to("decision_number", version.decision_number)
        .select("model_name", "model_version", "artifact_sha256", "artifact")
        .read()
        .to_pylist()
    )
    return load_model(row)


def _sample(model: TrainedModel, features: Relation) -> FloatMatrix | None:
    """The first rows as the model reads them; None where there are none, or a feature is gone.

    The packager finds no range of a column without a value, and stops: such a column shows 0.
    """
    names = model.encoder.feature_names
    if not set(names) <= set(features.columns):
        return None
    rows = features.select(*names).first(_SAMPLE_ROWS).read()
    if not rows.num_rows:
        return None
    sample = model.encoder.encode(rows)
    sample[:, np.isnan(sample).all(axis=0)] = 0.0
    return sample


def _report(
    trained: Sequence[TrainedVersion],
    registered: Sequence[RegisteredVersion],
    actions: Sequence[Action],
) -> list[dict[str, object]]:
    present = {version.key: version for version in registered}
    known = {version.key: version for version in trained}
    served = {version.model_name for version in trained if version.is_serving}
    done: dict[Key, list[str]] = {}
    for action in actions:
        done.setdefault(action.version.key, []).append(action.kind)
    names = {version.key[0]: version.model_name for version in trained}
    rows: list[dict[str, object]] = []
    for key in [*known, *(key for key in present if key not in known)]:
        version, found = known.get(key), present.get(key)
        rows.append(
            {
                "model_name": names[key[0]],
                "model_version": version.model_version if version else None,
                "registry_model_name": key[0],
                "registry_version_name": key[1],
                "status": _status(version, found, served),
                "is_default": bool(found and found.is_default),
                "is_in_use": bool(found and found.is_in_use),
                "training_set_hash": version.facts.get("training_set_hash") if version else None,
                "artifact_sha256": version.artifact_sha256 if version else None,
                "registered_at": found.registered_at if found else None,
                "actions": ", ".join(done[key]) if key in done else None,
            }
        )
    return rows


def _status(
    version: TrainedVersion | None, found: RegisteredVersion | None, served: set[str]
) -> str:
    if version is None:
        return "unknown"
    if version.is_serving:
        return "serving"
    if version.model_name not in served:
        return "waiting"
    return "retired" if found else "expired"


class SnowflakeRegistry:
    """The Model Registry of a schema; nothing else in this project knows snowflake-ml-python."""

    def __init__(self, session: Any, database: str, schema: str) -> None:
        self._session = session
        self._database = database
        self._schema = schema
        self._opened: Any = None

    def versions(self, models: Iterable[str]) -> list[RegisteredVersion]:
        """The versions of those of some models that exist.

        These commands need no warehouse:
        https://docs.snowflake.com/en/sql-reference/sql/show-models
        https://docs.snowflake.com/en/sql-reference/sql/show-versions-in-model
        """
        existing = {row["name"] for row in self._sql(f"show models in schema {self._place}")}
        return [
            registered_version(name, row.as_dict())
            for name in models
            if name in existing
            for row in self._sql(f"show versions in model {self._place}.{name}")
        ]

    def log(self, version: TrainedVersion, model: TrainedModel, sample: FloatMatrix | None) -> None:
        """Add a version with its description; the first one of a model becomes its default.

        https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview
        """
        # Neither package is there on DuckDB.
        import pandas as pd  # noqa: PLC0415
        from snowflake.ml.model import model_signature as signatures  # noqa: PLC0415
        from snowflake.ml.model.task import Task  # noqa: PLC0415

        names = model.encoder.feature_names
        real = signatures.DataType.FLOAT
        signature = signatures.ModelSignature(
            inputs=[signatures.FeatureSpec(dtype=real, name=name) for name in names],
            outputs=[signatures.FeatureSpec(dtype=real, name=_OUTPUT)],
        )
        self._registry().log_model(
            model.booster,
            model_name=version.key[0],
            version_name=version.key[1],
            comment=_comment(version, model),
            metrics=_described(version, model),
            # Given, not inferred: a sample in which a feature is always null would leave it out
            # (https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/model-signature).
            signatures={_METHOD: signature},
            sample_input_data=None if sample is None else pd.DataFrame(sample, columns=names),
            # Packages of Snowflake's own channel in the versions that run here: other ones may
            # give other numbers.
            conda_dependencies=[f"xgboost=={xgb.__version__}"],
            target_platforms=["WAREHOUSE"],
            task=Task.TABULAR_BINARY_CLASSIFICATION,
            options={
                "relax_version": False,
                "target_methods": [_METHOD],
                # Explanations are this project's own (score_explanations); no GPU is asked for.
                "enable_explainability": False,
                "cuda_version": None,
            },
        )

    def describe(self, version: TrainedVersion, model: TrainedModel) -> None:
        """Set the comment and the facts of a version that is there."""
        stored = self._version(version)
        stored.comment = _comment(version, model)
        for name, value in _described(version, model).items():
            stored.set_metric(name, value)

    def artifact_hash(self, version: TrainedVersion) -> str:
        """SHA-256 of the Booster that the registry holds under a version's name."""
        # Its files are read, not loaded: loading what somebody else made may run a pickle.
        with TemporaryDirectory() as folder:
            self._version(version).export(folder)
            boosters = [path.read_bytes() for path in Path(folder).rglob("*.ubj")]
        return artifact_hash(boosters[0]) if len(boosters) == 1 else "unknown"

    def make_default(self, version: TrainedVersion) -> None:
        """Let a version answer for its model.

        https://docs.snowflake.com/en/sql-reference/sql/alter-model
        """
        model, name = version.key
        self._sql(f"alter model {self._place}.{model} set default_version = {name}")

    def drop(self, version: TrainedVersion) -> None:
        """Remove a version that is not the default.

        https://docs.snowflake.com/en/sql-reference/sql/alter-model-drop-version
        """
        model, name = version.key
        self._sql(f"alter model {self._place}.{model} drop version {name}")

    @property
    def _place(self) -> str:
        return f"{self._database}.{self._schema}"

    def _sql(self, statement: str) -> Any:
        return self._session.sql(statement).collect()

    def _registry(self) -> Any:
        """The registry of snowflake-ml-python, opened once: opening costs statements too."""
        if self._opened is None:
            # Not there on DuckDB.
            from snowflake.ml.registry import Registry  # noqa: PLC0415

            self._opened = Registry(
                self._session,
                database_name=self._database,
                schema_name=self._schema,
                options={"enable_monitoring": False},
            )
        return self._opened

    def _version(self, version: TrainedVersion) -> Any:
        return self._registry().get_model(version.key[0]).version(version.key[1])


def registered_version(model: str, row: Mapping[str, Any]) -> RegisteredVersion:
    """A row of `show versions in model`.

    Args:
        model: name of the model.
        row: the row, by the names of its columns.

    """
    aliases = set(json.loads(row.get("aliases") or "[]")) - _SYSTEM_ALIASES
    services = json.loads(row.get("inference_services") or "[]")
    metadata = json.loads(row.get("metadata") or "{}")
    created_on = row["created_on"]
    return RegisteredVersion(
        key=(model, row["name"]),
        is_default=str(row["is_default_version"]).lower() == "true",
        is_in_use=bool(aliases or services),
        facts=metadata.get("metrics") or {},
        registered_at=created_on.astimezone(UTC).replace(tzinfo=None) if created_on else None,
    )


def _described(version: TrainedVersion, model: TrainedModel) -> dict[str, Any]:
    calibration = {"calibration_slope": model.slope, "calibration_intercept": model.intercept}
    return {**version.facts, **calibration}


def _comment(version: TrainedVersion, model: TrainedModel) -> str:
    return (
        f"Version {version.model_version}, {version.facts['decision']} by decision "
        f"{version.decision_number} of model_runs, which is the source of truth. {_METHOD} takes "
        f"encoded features (a category is its place in the artifact's levels) and gives p, the "
        f"probability before calibration; score = 1 / (1 + exp(-({model.slope!r} * ln(p / (1 - p)) "
        f"+ {model.intercept!r})))."
    )
