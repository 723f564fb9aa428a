"""The Model Registry: the statements that snowflake-ml-python and SQL send for models.

A model is an object of a schema with versions, one of which is its default; a version is a copy of
the files that the client put on a stage, with a comment and metadata. Its methods run here as the
packager generated them, on rows of the query that calls them.

Not here: tags, services, `CREATE MODEL ... FROM MODEL`, table functions, grants on models. Whether
a version's packages exist in Snowflake's channel is not checked.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import importlib.util
import json
import re
import shutil
import sys
import tempfile
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import yaml

from emulator import answers, errors, functions, stages
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, NAME_PART, ObjectName, Statement, split_name
from emulator.tables import text_of

# https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview#current-limitations
_MOST_VERSIONS = 1000
_MOST_METADATA = 100 * 1024
_METHODS = "emulator_model_methods"


@dataclass
class Version:
    """A version of a model; its files cannot change."""

    name: str
    folder: Path
    created_at: datetime.datetime
    comment: str = ""
    metadata: str = "{}"
    aliases: set[str] = field(default_factory=set)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    @property
    def methods(self) -> dict[str, dict[str, Any]]:
        return {
            method["name"]: method
            for method in yaml.safe_load(self.read("MANIFEST.yml"))["methods"]
        }

    @property
    def platforms(self) -> list[str]:
        found: list[str] = yaml.safe_load(self.read("MANIFEST.yml")).get("target_platforms", [])
        return found or ["WAREHOUSE", "SNOWPARK_CONTAINER_SERVICES"]


@dataclass
class Model:
    """A model; its versions in order of creation."""

    name: ObjectName
    owner: str
    created_at: datetime.datetime
    versions: dict[str, Version] = field(default_factory=dict)
    default: str = ""
    comment: str = ""

    def aliases(self, version: Version) -> list[str]:
        """https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview#model-version-aliases"""
        names = list(self.versions)
        system = {"DEFAULT": self.default, "FIRST": names[0], "LAST": names[-1]}
        return [alias for alias, name in system.items() if name == version.name] + sorted(
            version.aliases
        )

    def version(self, text: str) -> Version:
        name = split_name(text)[-1]
        for version in self.versions.values():
            if name == version.name or name in self.aliases(version):
                return version
        raise errors.no_such_object("Version", name)


def handle(statement: Statement, session: Session) -> Answer | None:
    for pattern, run in _COMMANDS:
        if found := pattern.match(statement.body):
            if statement.words[0] in ("CREATE", "ALTER", "DROP"):
                session.commit()
            return run(found, session)
    if _CALL.search(statement.body) and statement.words[0] in (
        "SELECT",
        "WITH",
        "CREATE",
        "INSERT",
    ):
        return _with_methods(statement, session)
    return None


def _models(session: Session) -> dict[ObjectName, Model]:
    found: dict[ObjectName, Model] = session.account.extras.setdefault("models", {})
    return found


def _model(session: Session, text: str) -> Model:
    name = session.name_of(text)
    if name not in _models(session):
        raise errors.no_such_object("Model", name)
    return _models(session)[name]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


# -- what is there --------------------------------------------------------------------------------


def _is_like(pattern: str | None, name: str) -> bool:
    """`_` stands for any character, also in a name that has one."""
    if pattern is None:
        return True
    return bool(re.fullmatch(re.escape(pattern).replace("%", ".*").replace("_", "."), name, re.I))


def _show_models(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/show-models"""
    parts = split_name(found["scope"] or "")
    if found["kind"] and found["kind"].upper() == "DATABASE":
        scope: tuple[str | None, str | None] = (parts[0] if parts else session.database, None)
    elif parts:
        scope = (parts[-2] if len(parts) > 1 else session.database, parts[-1])
        if scope not in session.account.schemas():
            raise errors.no_such_scope()
    else:
        scope = (session.database, session.schema if found["kind"] else None)
    columns = ("name", "model_type", "database_name", "schema_name", "owner", "comment", "versions")
    columns += ("default_version_name", "aliases")
    rows = [
        (
            model.created_at,
            name.name,
            "USER_MODEL",
            name.database,
            name.schema,
            model.owner,
            model.comment,
            json.dumps(list(model.versions)),
            model.default,
            json.dumps(
                {alias: v.name for v in model.versions.values() for alias in model.aliases(v)}
            ),
        )
        for name, model in sorted(_models(session).items())
        if _is_like(found["like"], name.name)
        and scope[0] in (None, name.database)
        and scope[1] in (None, name.schema)
    ]
    return answers.rows({"created_on": "timestamp_ltz"} | dict.fromkeys(columns, "text"), rows)


def _show_versions(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/show-versions-in-model

    `comment`, `model_spec`, `runnable_in` and `inference_services` are not on that page; the client
    reads them.
    """
    model = _model(session, found["name"])
    columns = ("name", "aliases", "comment", "database_name", "schema_name", "model_name")
    columns += ("is_default_version", "functions", "metadata", "user_data", "model_spec")
    columns += ("runnable_in", "inference_services")
    rows = [
        (
            version.created_at,
            version.name,
            json.dumps(model.aliases(version)),
            version.comment,
            model.name.database,
            model.name.schema,
            model.name.name,
            str(version.name == model.default).lower(),
            json.dumps(list(version.methods)),
            version.metadata,
            "{}",
            version.read("model/model.yaml"),
            json.dumps(version.platforms),
            "[]",
        )
        for version in model.versions.values()
        if _is_like(found["like"], version.name)
    ]
    return answers.rows({"created_on": "timestamp_ltz"} | dict.fromkeys(columns, "text"), rows)


def _show_functions(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/developer-guide/snowflake-ml/inference/native-batch-inference-sql"""
    version = _model(session, found["name"]).version(found["version"])
    rows = [(name, method["outputs"][0]["type"]) for name, method in version.methods.items()]
    return answers.rows({"name": "text", "return_type": "text"}, rows)


def _list(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview#working-with-model-artifacts"""
    version = _model(session, found["name"]).version(found["version"])
    rows = []
    for path in sorted(path for path in version.folder.rglob("*") if path.is_file()):
        relative = path.relative_to(version.folder).as_posix()
        if relative.startswith(found["path"]):
            content = path.read_bytes()
            digest = hashlib.md5(content).hexdigest()
            changed = format_datetime(version.created_at, usegmt=True)
            rows.append((f"versions/{version.name}/{relative}", len(content), digest, changed))
    types = {"name": "text", "size": "fixed", "md5": "text", "last_modified": "text"}
    return answers.rows(types, rows)


def _get(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/get: the client copies the file itself."""
    version = _model(session, found["name"]).version(found["version"])
    path = version.folder / found["path"]
    if not path.is_file():
        raise errors.SnowflakeError(f"File '{found['path']}' does not exist.", 253006, "22000")
    answer = answers.status("")
    answer.upload = {
        "command": "DOWNLOAD",
        "src_locations": [path.name],
        "localLocation": re.sub(r"^file://", "", found["local"]),
        "parallel": 1,
        "autoCompress": False,
        "encryptionMaterial": [],
        "stageInfo": {"locationType": "LOCAL_FS", "location": str(path.parent), "creds": {}},
    }
    return answer


# -- what changes ---------------------------------------------------------------------------------


def _create(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/create-model"""
    name = session.name_of(found["name"])
    session.account.require_schema(name)
    if name in _models(session):
        # The number that snowflake-ml-python tells this case by.
        raise errors.SnowflakeError(f"Object '{name}' already exists.", 100132, "P0000")
    model = Model(name, session.role, _now())
    _add(model, found, session)
    model.default = next(iter(model.versions))
    _models(session)[name] = model
    return answers.status(f"Model {name.name} successfully created.")


def _add_version(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-model-add-version"""
    _add(_model(session, found["name"]), found, session)
    return answers.status("Model successfully altered.")


def _add(model: Model, found: re.Match[str], session: Session) -> None:
    name = split_name(found["version"])[-1]
    if name in model.versions:
        raise errors.already_exists(f"{model.name}.{name}")
    if len(model.versions) >= _MOST_VERSIONS:
        raise errors.compilation(f"A model has at most {_MOST_VERSIONS} versions.")
    source = stages.directory_of(session, found["stage"])
    if not (source / "MANIFEST.yml").is_file():
        raise errors.compilation("Unable to read file MANIFEST.yml.", 398507, "22000")
    extras = session.account.extras
    if "model_files" not in extras:
        extras["model_files"] = Path(tempfile.mkdtemp(prefix="emulator_models_"))
        session.account.closers.append(lambda: shutil.rmtree(extras["model_files"]))
    folder = Path(tempfile.mkdtemp(prefix=f"{name}_", dir=extras["model_files"]))
    shutil.copytree(source, folder, dirs_exist_ok=True)
    model.versions[name] = Version(name, folder, _now())


def _set_default(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-model"""
    model = _model(session, found["name"])
    model.default = model.version(found["version"].strip("'")).name
    return answers.status("Model successfully altered.")


def _drop_version(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-model-drop-version"""
    model = _model(session, found["name"])
    version = model.version(found["version"])
    if version.name == model.default:
        raise errors.compilation(f"Cannot drop the default version {version.name} of a model.")
    del model.versions[version.name]
    return answers.status("Model successfully altered.")


def _modify_version(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-model-modify-version"""
    version = _model(session, found["name"]).version(found["version"])
    for name, value in re.findall(
        r"(comment|metadata)\s*=\s*('.*?'|\$\$.*?\$\$)", found["rest"], re.I | re.S
    ):
        if name.upper() == "COMMENT":
            version.comment = text_of(value)
            continue
        text = text_of(value)
        try:
            # NaN is no JSON.
            json.loads(text, parse_constant=_no_json)
        except ValueError as error:
            raise errors.compilation(f"Metadata is not valid JSON: {error}") from None
        if len(text.encode()) > _MOST_METADATA:
            raise errors.compilation(f"Metadata is larger than {_MOST_METADATA} bytes.")
        version.metadata = text
    return answers.status("Model successfully altered.")


def _no_json(word: str) -> None:
    raise ValueError(word)


def _set_alias(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-model"""
    model = _model(session, found["name"])
    version = model.version(found["version"])
    alias = split_name(found["alias"].strip("'"))[-1]
    taken = {name for each in model.versions.values() for name in (each.name, *model.aliases(each))}
    if alias in taken:
        raise errors.already_exists(alias)
    version.aliases.add(alias)
    return answers.status("Model successfully altered.")


def _drop_model(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/drop-model"""
    if found["exists"] and session.name_of(found["name"]) not in _models(session):
        return answers.status("Drop statement executed successfully.")
    del _models(session)[_model(session, found["name"]).name]
    return answers.status("Model successfully dropped.")


def _capabilities(found: re.Match[str], session: Session) -> Answer:
    """No optional capability: what an account answers is not documented."""
    return answers.rows({"FEATURES": "text"}, [("{}",)], answers.SELECT)


def _packages(found: re.Match[str], session: Session) -> Answer:
    """What the client asks outside of a procedure: whether the channel has its own version.

    It has here, or the client would pack itself into every version.
    https://docs.snowflake.com/en/sql-reference/info-schema/packages
    """
    rows = [(found["package"], importlib.metadata.version(found["package"]))]
    return answers.rows({"PACKAGE_NAME": "text", "VERSION": "text"}, rows, answers.SELECT)


# -- methods --------------------------------------------------------------------------------------


def _with_methods(statement: Statement, session: Session) -> Answer:
    """A statement with each call of a model's method put as a call of a function of DuckDB.

    https://docs.snowflake.com/en/developer-guide/snowflake-ml/inference/native-batch-inference-sql
    """
    # Imported here: the list of handlers holds this module's.
    from emulator.handlers import answer  # noqa: PLC0415

    def called(found: re.Match[str]) -> str:
        model = _model(session, found["model"] or found["plain"])
        version = model.version(found["version"] or "DEFAULT")
        method = split_name(found["method"])[-1]
        if method not in version.methods:
            raise errors.unknown_function(f"{model.name}!{method}")
        return _function(version, version.methods[method], session) + "("

    other = Statement(_CALL.sub(called, statement.text), statement.bindings)
    other.describe_only = statement.describe_only
    return answer(other, session)


def _function(version: Version, method: dict[str, Any], session: Session) -> str:
    """Register a method with DuckDB; the name of the function."""
    name = f"{_METHODS}_{hashlib.md5(str(version.folder).encode()).hexdigest()}_{method['name']}"
    known: set[str] = session.account.extras.setdefault(_METHODS, set())
    if name.upper() not in known:
        inputs = [
            duckdb.sqltype("DOUBLE" if each["type"] == "FLOAT" else "VARCHAR")
            for each in method["inputs"]
        ]
        infer = _handler(version, method["handler"])

        def run(*columns: Any) -> pa.Array:
            frame = pd.DataFrame({n: column.to_pandas() for n, column in enumerate(columns)})
            return pa.array([json.dumps(each) for each in infer(frame)], pa.string())

        session.account.root.create_function(
            name.upper(),
            functions.with_arity(run, len(inputs)),
            inputs,
            duckdb.sqltype("VARCHAR"),
            type="arrow",
            null_handling="special",
        )
        known.add(name.upper())
    return name.upper()


def _handler(version: Version, handler: str) -> Callable[[Any], Any]:
    """The function that the packager generated, imported where it finds the version's files.

    `snowflake_import_directory` and `_snowflake.vectorized`:
    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
    """
    module_name, _, function = handler.rpartition(".")
    stand_in = types.ModuleType("_snowflake")
    stand_in.vectorized = lambda **_: lambda body: body  # type: ignore[attr-defined]
    path = version.folder / (module_name.replace(".", "/") + ".py")
    spec = importlib.util.spec_from_file_location(f"{version.folder.name}_{function}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get("_snowflake")
    sys.modules["_snowflake"] = stand_in
    sys._xoptions["snowflake_import_directory"] = str(version.folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys._xoptions.pop("snowflake_import_directory")
        if before is None:
            del sys.modules["_snowflake"]
        else:
            sys.modules["_snowflake"] = before
    found: Callable[[Any], Any] = getattr(module, function)
    return found


# -- the statements -------------------------------------------------------------------------------

_STAGE = r"(?P<stage>'@[^']*'|@\S+)"
_VERSION = rf"(?P<version>{NAME_PART})"
_URL = rf"'?snow://model/(?P<name>{NAME})/versions/(?P<version>[^/']+)/(?P<path>[^']*)'?"
_CALL = re.compile(
    rf"(?:\bmodel\s*\(\s*(?P<model>{NAME})\s*(?:,\s*(?P<version>{NAME_PART})\s*)?\)|(?P<plain>{NAME}))"
    rf"\s*!\s*(?P<method>{NAME_PART})\s*\(",
    re.I,
)
_ALTER = rf"alter\s+model\s+(?:if\s+exists\s+)?(?P<name>{NAME})\s+"

_COMMANDS: list[tuple[re.Pattern[str], Callable[[re.Match[str], Session], Answer]]] = [
    (re.compile(pattern + r"\s*$", re.I | re.S), run)
    for pattern, run in [
        (
            rf"show\s+models(?:\s+like\s+'(?P<like>[^']*)')?"
            rf"(?:\s+in\s+(?P<kind>database|schema)(?:\s+(?P<scope>{NAME}))?)?",
            _show_models,
        ),
        (
            rf"show\s+versions(?:\s+like\s+'(?P<like>[^']*)')?\s+in\s+model\s+(?P<name>{NAME})",
            _show_versions,
        ),
        (
            rf"show\s+functions\s+in\s+model\s+(?P<name>{NAME})\s+version\s+{_VERSION}",
            _show_functions,
        ),
        (rf"(?:list|ls)\s+{_URL}", _list),
        (rf"get\s+{_URL}\s+'?(?P<local>[^'\s]+)'?.*", _get),
        (
            rf"create\s+model\s+(?P<name>{NAME})\s+with\s+version\s+{_VERSION}\s+from\s+{_STAGE}",
            _create,
        ),
        (rf"{_ALTER}add\s+version\s+{_VERSION}\s+from\s+{_STAGE}", _add_version),
        (rf"{_ALTER}set\s+default_version\s*=\s*(?P<version>'?{NAME_PART}'?)", _set_default),
        (rf"{_ALTER}drop\s+version\s+{_VERSION}", _drop_version),
        (rf"{_ALTER}modify\s+version\s+{_VERSION}\s+set\s+(?P<rest>.*)", _modify_version),
        (
            rf"{_ALTER}version\s+{_VERSION}\s+set\s+alias\s*=\s*(?P<alias>'?{NAME_PART}'?)",
            _set_alias,
        ),
        (rf"drop\s+model\s+(?P<exists>if\s+exists\s+)?(?P<name>{NAME})", _drop_model),
        (
            r"select\s+package_name,\s*version\s+from\s+information_schema\.packages\s+"
            r"where\s+\(package_name\s*=\s*'(?P<package>snowflake-ml-python)'\).*",
            _packages,
        ),
        (r"select\s+system\$ml_platform_capabilities\(\)(?:\s+as\s+features)?", _capabilities),
    ]
]
