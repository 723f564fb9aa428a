"""The Model Registry says what the decision log says, whatever happens between builds.

The registry is the emulator's: the statements of snowflake-ml-python are real, and so are the files
that it packs; the answers are the emulator's.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from emulator.client import Emulator, start_emulator
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session

from customer_insights.engine import Relation, Warehouse, open_warehouse
from customer_insights.errors import ArtifactError
from customer_insights.model import TrainedModel, artifact_hash
from customer_insights.registry import (
    REGISTERED_SCHEMA,
    RegistryError,
    SnowflakeRegistry,
    register_versions,
    registry_version_name,
)
from customer_insights.training import RUN_SCHEMA, Row

pytestmark = pytest.mark.filterwarnings("ignore")
DATABASE = "ANALYTICS"
CHANGES = ("CREATE MODEL", "ALTER MODEL", "DROP MODEL")
_schemas = count()


def _shop() -> Any:
    """The visits and decisions of the unit tests: real models, trained in a second."""
    path = Path(__file__).parents[1] / "unit" / "conftest.py"
    spec = importlib.util.spec_from_file_location("unit_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Shop(duckdb.connect())


@pytest.fixture(scope="module")
def shop() -> Any:
    return _shop()


@pytest.fixture(scope="module")
def visits(shop: Any) -> pa.Table:
    return shop.visits()


@pytest.fixture(scope="module")
def decisions(shop: Any, visits: pa.Table) -> list[Row]:
    """Three versions of one model, each trained and promoted, as the log holds them."""
    found = []
    for number, features in enumerate([("pages", "visitor", "month"), ("pages",), ("visitor",)], 1):
        decision = shop.decide(visits, spec=shop.spec(*features))
        assert decision["artifact"] is not None
        found.append(
            decision
            | {"decision_number": number, "decision": "trained_promoted", "is_champion": True}
        )
    return found


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with start_emulator(tmp_path_factory.mktemp("emulator")) as started:
        yield started


class KilledError(Exception):
    """The build ended here."""


@dataclass
class Account:
    """A schema of its own, with a log and builds that bring the registry in step with it."""

    emulator: Emulator
    session: Session
    warehouse: Warehouse
    schema: str
    visits: pa.Table
    log: list[Row] = field(default_factory=list)
    stored: dict[str, pa.Table] = field(default_factory=dict)
    began_at: int = 0

    def build(self, *, keep: int = 10) -> dict[str, dict[str, Any]]:
        """What a build reports of each version."""
        self._store("run_context", pa.table({"registry_keep_versions": pa.array([keep])}))
        self._store("trained", pa.Table.from_pylist(self.log, schema=RUN_SCHEMA))
        self._store("features", self.visits)
        self.began_at = len(self.emulator.statements())
        reported = register_versions(
            SnowflakeRegistry(self.session, DATABASE, self.schema),
            keys=["session_id"],
            run_context=self._relation("run_context"),
            trained=self._relation("trained"),
            features=self._relation("features"),
        )
        assert reported.schema == REGISTERED_SCHEMA
        return {
            row["model_version"] or row["registry_version_name"]: row
            for row in reported.to_pylist()
        }

    def _store(self, name: str, rows: pa.Table) -> None:
        if name not in self.stored or not self.stored[name].equals(rows):
            written = self.warehouse.write(rows)
            written.write.mode("overwrite").save_as_table(f"{self.schema}.{name}")
            self.stored[name] = rows

    def _relation(self, name: str) -> Relation:
        return self.warehouse.relation(self.session.table(f"{self.schema}.{name}"))

    def sent(self) -> list[str]:
        """The statements of the last build."""
        return [entry["sql"] for entry in self.emulator.statements(self.began_at)]

    def changes(self) -> list[str]:
        """Those of them that changed a model."""
        return [sql for sql in self.sent() if sql.strip().upper().startswith(CHANGES)]

    def versions(self, model: str = "INTENT") -> dict[str, dict[str, Any]]:
        """What the registry itself shows."""
        shown = self.session.sql(f"show versions in model {self.schema}.{model}").collect()
        return {row["name"]: row.as_dict() for row in shown}

    def default(self) -> str:
        (name,) = (n for n, row in self.versions().items() if row["is_default_version"] == "true")
        return name

    def held(self) -> set[str]:
        return set(self.versions())

    def opened(self, row: Row) -> Any:
        """A version as snowflake-ml-python opens it."""
        registry = Registry(self.session, database_name=DATABASE, schema_name=self.schema)
        return registry.get_model("INTENT").version(name_of(row))


def name_of(row: Row) -> str:
    return registry_version_name(row["model_version"])


def later(row: Row, number: int, decision: str, **changed: Any) -> Row:
    """A decision that trained nothing and names a version."""
    nothing = {"artifact": None, "artifact_sha256": None}
    return row | nothing | {"decision_number": number, "decision": decision} | changed


@pytest.fixture
def account(emulator: Emulator, visits: pa.Table) -> Iterator[Account]:
    schema = f"REGISTRY_{next(_schemas)}"
    emulator.execute(f"create schema {DATABASE}.{schema}")
    with emulator.connect(schema=schema) as connection:
        session = Session.builder.configs({"connection": connection}).create()
        dbt = SimpleNamespace(this=SimpleNamespace(database=DATABASE, schema=schema))
        yield Account(emulator, session, open_warehouse(dbt, session), schema, visits)
        # snowflake-ml-python takes any session that is not closed for its telemetry. One whose
        # connection has ended doubled what it had to send with each call, until memory was full.
        session.close()


def test_a_first_build_logs_each_version_with_all_that_the_log_says_of_it(
    account: Account, decisions: list[Row]
) -> None:
    first, second, _ = decisions
    account.log = [first, second]
    reported = account.build()
    assert {version: row["status"] for version, row in reported.items()} == {
        first["model_version"]: "retired",
        second["model_version"]: "serving",
    }
    assert account.default() == name_of(second)
    for row in (first, second):
        metrics = account.opened(row).show_metrics()
        assert metrics["training_set_hash"] == row["training_set_hash"]
        assert metrics["artifact_sha256"] == row["artifact_sha256"]
        assert metrics["pr_auc"] == row["pr_auc"]
        assert metrics["parameters"] == json.loads(row["parameters"])
        assert metrics["feature_names"] == json.loads(row["feature_names"])
        assert reported[row["model_version"]]["registered_at"] is not None
        shown = account.versions()[name_of(row)]
        assert row["model_version"] in shown["comment"]
        assert "sample_input_data.json" in shown["model_spec"]


def test_a_version_holds_the_artifact_itself_and_no_pickle(
    account: Account, decisions: list[Row], tmp_path: Path
) -> None:
    account.log = decisions[:1]
    account.build()
    account.opened(decisions[0]).export(str(tmp_path))
    files = {path.name: path for path in tmp_path.rglob("*") if path.is_file()}
    assert artifact_hash(files["model.ubj"].read_bytes()) == decisions[0]["artifact_sha256"]
    assert not [
        name for name in files if name.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle"))
    ]
    # A pickle of protocol 2 or later starts with these two bytes, whatever its name.
    assert not [
        n for n, path in files.items() if path.read_bytes()[:2] in (b"\x80\x04", b"\x80\x05")
    ]
    sample = json.loads(files["sample_input_data.json"].read_text())["dataframe_split"]
    assert sorted(sample["columns"]) == ["month", "pages", "visitor"]
    assert all(isinstance(value, float) for value in sample["data"][0])


def test_the_loaded_model_gives_the_same_scores(
    account: Account, decisions: list[Row], visits: pa.Table
) -> None:
    account.log = decisions[:1]
    account.build()
    loaded = bytes(account.opened(decisions[0]).load(force=True).save_raw("ubj"))
    registered = TrainedModel.from_bytes(loaded, decisions[0]["artifact_sha256"])
    stored = TrainedModel.from_bytes(decisions[0]["artifact"], decisions[0]["artifact_sha256"])
    difference = registered.score(visits, 1) - stored.score(visits, 1)
    assert np.abs(difference).max() == 0.0


def test_the_method_gives_what_its_comment_says(
    account: Account, decisions: list[Row], visits: pa.Table
) -> None:
    account.log = decisions[:1]
    account.build()
    model = TrainedModel.from_bytes(decisions[0]["artifact"], decisions[0]["artifact_sha256"])
    rows = visits.take(list(range(0, visits.num_rows, 8)))
    matrix = model.encoder.encode(rows).astype(float)
    names = model.encoder.feature_names
    assert np.isnan(matrix).any(), "a month that training did not know is missing"
    values = [[None if np.isnan(value) else float(value) for value in row] for row in matrix]
    frame = account.session.create_dataframe(
        [[place, *row] for place, row in enumerate(values)], ["place", *names]
    )
    frame.write.save_as_table(f"{account.schema}.encoded")
    columns = ", ".join(names)
    answers = account.session.sql(
        f"select place, model({account.schema}.intent)!predict({columns}):uncalibrated_probability"
        f"::float as p from {account.schema}.encoded order by place"
    ).collect()
    p = np.array([row["P"] for row in answers])
    expected = model.score(rows, 1)
    scores = 1 / (1 + np.exp(-(model.slope * np.log(p / (1 - p)) + model.intercept)))
    assert (
        f"{model.slope!r} * ln(p / (1 - p)) + {model.intercept!r}"
        in (account.versions()[name_of(decisions[0])]["comment"])
    )
    # The Booster answers in single precision.
    assert np.abs(scores - expected).max() < 1e-6
    # snowflake-ml-python sends the same call for a frame of pandas.
    run = account.opened(decisions[0]).run(pd.DataFrame(matrix, columns=names))
    assert run["uncalibrated_probability"].tolist() == p.tolist()


def test_with_nothing_new_a_build_only_looks(account: Account, decisions: list[Row]) -> None:
    account.log = decisions[:2]
    account.build()
    account.log.append(later(decisions[1], 3, "kept"))
    reported = account.build()
    assert account.changes() == []
    shows = [sql for sql in account.sent() if sql.lower().startswith("show")]
    assert [sql.split()[1] for sql in shows] == ["models", "versions"]
    # Beside them the settings and the log are read; Snowpark asks for the columns of both first.
    others = [sql for sql in account.sent() if sql not in shows]
    assert all(sql.lower().startswith("select") for sql in others)
    assert len(others) <= 4
    assert [row["actions"] for row in reported.values()] == [None, None]


def test_an_empty_log_registers_nothing_and_reports_nothing(account: Account) -> None:
    assert account.build() == {}
    assert account.changes() == []


def test_a_model_of_which_nothing_ever_served_is_not_registered(
    account: Account, decisions: list[Row]
) -> None:
    account.log = [decisions[0] | {"decision": "trained_rejected", "is_champion": False}]
    (row,) = account.build().values()
    assert (row["status"], row["is_default"], row["registered_at"]) == ("waiting", False, None)
    assert account.changes() == []


def test_a_new_champion_moves_the_default_and_a_rejected_version_does_not(
    account: Account, decisions: list[Row]
) -> None:
    first, second, third = decisions
    account.log = [first]
    account.build()
    account.log.append(second | {"decision": "trained_rejected", "is_champion": False})
    account.build()
    assert (account.default(), len(account.held())) == (name_of(first), 2)
    account.log.append(third)
    reported = account.build()
    # What a new version costs (docs/snowflake.md), six of them looking.
    sent = [sql.split()[0].upper() for sql in account.sent()]
    assert len(sent) <= 40
    assert sent.count("PUT") <= 12
    assert account.default() == name_of(third)
    assert reported[third["model_version"]]["actions"] == "logged, made_default"


def test_a_rollback_moves_the_default_back_and_the_next_promotion_forward(
    account: Account, decisions: list[Row]
) -> None:
    first, second, third = decisions
    account.log = [first, second]
    account.build()
    account.log.append(later(first, 3, "rolled_back"))
    reported = account.build()
    assert account.default() == name_of(first)
    assert reported[first["model_version"]]["status"] == "serving"
    assert [sql.split("SET")[-1].split("set")[-1].strip() for sql in account.changes()] == [
        f"default_version = {name_of(first)}"
    ]
    account.log.append(later(first, 4, "pinned"))
    account.build()
    assert account.changes() == []
    account.log.append(third | {"decision_number": 5})
    account.build()
    assert account.default() == name_of(third)


def test_retired_versions_expire_and_a_rollback_brings_one_back(
    account: Account, decisions: list[Row]
) -> None:
    first, second, third = decisions
    account.log = [first, second, third]
    account.build(keep=2)
    assert len(account.held()) == 3
    reported = account.build(keep=1)
    assert account.held() == {name_of(second), name_of(third)}
    assert reported[first["model_version"]]["status"] == "expired"
    assert reported[first["model_version"]]["registered_at"] is None
    account.log.append(later(first, 4, "rolled_back"))
    account.build(keep=1)
    assert account.default() == name_of(first)
    # The one that served last before is the one that is kept.
    assert account.held() == {name_of(first), name_of(third)}
    assert account.build(keep=0)[first["model_version"]]["status"] == "serving"
    assert account.held() == {name_of(first)}


def test_a_version_with_an_alias_does_not_expire(account: Account, decisions: list[Row]) -> None:
    first, second, _ = decisions
    account.log = [first, second]
    account.build()
    account.session.sql(
        f"alter model {account.schema}.intent version {name_of(first)} set alias = canary"
    ).collect()
    reported = account.build(keep=0)
    assert account.held() == {name_of(first), name_of(second)}
    assert reported[first["model_version"]]["is_in_use"]


def test_what_was_changed_by_hand_is_brought_back(account: Account, decisions: list[Row]) -> None:
    first, second, _ = decisions
    account.log = [first, second]
    account.build()
    model = f"{account.schema}.intent"
    account.session.sql(f"alter model {model} set default_version = {name_of(first)}").collect()
    assert account.build()[second["model_version"]]["actions"] == "made_default"
    assert account.default() == name_of(second)
    account.session.sql(f"alter model {model} drop version {name_of(first)}").collect()
    assert account.build()[first["model_version"]]["actions"] == "logged"
    account.opened(first).set_metric("pr_auc", 0.999)
    assert account.build()[first["model_version"]]["actions"] == "described"
    assert account.opened(first).get_metric("pr_auc") == first["pr_auc"]
    account.session.sql(f"drop model {model}").collect()
    account.build()
    assert (account.default(), len(account.held())) == (name_of(second), 2)
    account.build()
    assert account.changes() == []


def test_a_version_of_somebody_else_is_reported_and_left_alone(
    account: Account, decisions: list[Row]
) -> None:
    first, second, _ = decisions
    account.log = [first, second]
    account.build()
    foreign = second | {"model_version": "by-hand"}
    account.log = [first, foreign]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        account.build()
    account.log = [first, second]
    reported = account.build(keep=0)
    assert reported["VBY_HAND"]["status"] == "unknown"
    assert reported["VBY_HAND"]["model_version"] is None
    assert account.held() == {name_of(second), "VBY_HAND"}


def test_another_model_under_a_name_of_ours_stops_the_build(
    account: Account, decisions: list[Row]
) -> None:
    first, second, _ = decisions
    account.log = [first]
    account.build()
    stage = f"{account.schema}.by_hand"
    account.session.sql(f"create stage {stage}").collect()
    url = f"snow://model/{DATABASE}.{account.schema}.INTENT/versions/{name_of(first)}"
    _copy_version(account, url, stage)
    account.session.sql(
        f"alter model {account.schema}.intent add version {name_of(second)} from @{stage}/model"
    ).collect()
    account.log = [first, second]
    with pytest.raises(RegistryError, match=second["artifact_sha256"]):
        account.build()


def _copy_version(account: Account, url: str, stage: str) -> None:
    """Put the files of a version on a stage, as somebody would who makes one by hand."""
    for row in account.session.sql(f"list '{url}/'").collect():
        path = row["name"].split("/", 2)[2]
        with TemporaryDirectory() as folder:
            account.session.file.get(f"{url}/{path}", folder)
            (found,) = Path(folder).iterdir()
            target = f"@{stage}/model/{path}".rpartition("/")[0]
            account.session.file.put(str(found), target, auto_compress=False)


def test_a_changed_artifact_is_not_logged(account: Account, decisions: list[Row]) -> None:
    changed = bytearray(decisions[0]["artifact"])
    changed[100] ^= 1
    account.log = [decisions[0] | {"artifact": bytes(changed)}]
    with pytest.raises(ArtifactError, match=decisions[0]["artifact_sha256"]):
        account.build()
    assert account.changes() == []


def test_a_version_whose_features_are_gone_is_logged_without_a_sample(
    account: Account, decisions: list[Row]
) -> None:
    account.log = decisions[:1]
    account.visits = account.visits.drop_columns(["month"])
    account.build()
    assert "sample_input_data.json" not in account.versions()[name_of(decisions[0])]["model_spec"]


def _kill_before(
    monkeypatch: pytest.MonkeyPatch, account: Account, is_end: Callable[[str], bool]
) -> None:
    """Let the build end before it sends a statement."""
    cursor = type(account.session.connection.cursor())
    execute = cursor.execute

    def dying(self: Any, command: str, *arguments: Any, **named: Any) -> Any:
        if is_end(command):
            raise KilledError(command)
        return execute(self, command, *arguments, **named)

    monkeypatch.setattr(cursor, "execute", dying)


def test_a_build_that_is_killed_between_two_changes_is_completed_by_the_next(
    account: Account, decisions: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = decisions
    account.log = [first]
    account.build()
    account.log = [first, second]
    account.build(keep=0)
    changes = account.changes()
    # A version is added, described in two statements, made the default; another is dropped.
    assert len(changes) == 5

    for place in range(len(changes)):
        again = replace(account, schema=f"REGISTRY_{next(_schemas)}", log=[first], stored={})
        account.emulator.execute(f"create schema {DATABASE}.{again.schema}")
        again.build()
        again.log = [first, second]
        seen = count()
        with monkeypatch.context() as patched:
            _kill_before(
                patched,
                again,
                lambda sql, end=place, seen=seen: (
                    sql.strip().upper().startswith(CHANGES) and next(seen) == end
                ),
            )
            with pytest.raises(KilledError):
                again.build(keep=0)
        again.build(keep=0)
        assert (again.default(), again.held()) == (name_of(second), {name_of(second)})
        assert again.opened(second).get_metric("pr_auc") == second["pr_auc"]
