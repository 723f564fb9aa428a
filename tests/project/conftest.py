"""Runs dbt for real, each test in a folder of its own.

A test never sees the developer's database, profile, target or log folder: `dbt_project` gives it
its own of each. dbt takes seconds to start, so a test that needs several calls makes them with
`run_many`, which starts it once.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

import saved_parses
from rare_collections import rare_collections  # noqa: F401  (a fixture for all tests)
from saved_parses import kept_parses  # noqa: F401  (a fixture for all tests)

if TYPE_CHECKING:
    from helpers import DbtWorker

PROJECT_DIR = Path(__file__).resolve().parents[2]
SHARED_DATA = Path(os.environ.get("SHARED_DATA", PROJECT_DIR.parent / "shared" / "data"))

# Calls dbt several times in one process. Reads [[argument, ...], ...] from standard input, writes
# one JSON line per call: exit code, output, and the rows of every table afterwards.
RUN_MANY = """
import json, os, sys
import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

def row_counts():
    path = os.environ["DUCKDB_PATH"]
    if not os.path.exists(path):
        return {}
    with duckdb.connect(path, read_only=True) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables order by all"
        ).fetchall()
        return {
            f"{schema}.{name}": connection.execute(
                f'select count(*) from "{schema}"."{name}"'
            ).fetchone()[0]
            for schema, name in names
        }

common = json.loads(sys.argv[1])
parsed = dbtRunner().invoke(["--quiet", "parse", *common])
if not parsed.success:
    raise SystemExit(f"dbt parse failed: {parsed.exception}")
for arguments in json.load(sys.stdin):
    lines = []
    def keep(event):
        if event.info.level != "debug":
            lines.append(event.info.msg)
    result = dbtRunner(manifest=parsed.result, callbacks=[keep]).invoke(
        ["--quiet", *arguments, *common]
    )
    DuckDBConnectionManager.close_all_connections()  # as dbt does when its process ends
    answer = {
        "exit_code": 0 if result.success else 1 if result.exception is None else 2,
        "output": "\\n".join(lines),
        "row_counts": row_counts(),
    }
    print("ANSWER " + json.dumps(answer), flush=True)
"""


@dataclass(frozen=True)
class DbtResult:
    """What a dbt call gave back.

    Attributes:
        exit_code: 0 where it succeeded.
        output: What it printed.
        row_counts: Rows of every table afterwards, by `schema.table`; empty unless asked for.
    """

    exit_code: int
    output: str
    row_counts: Mapping[str, int]

    def info_lines(self) -> list[str]:
        """The lines printed, without dbt's own at the start."""
        own = ("Running with dbt", "Registered adapter", "Found ", "Unable to do partial parsing")
        return [line for line in self.output.splitlines() if not line.startswith(own)]


@dataclass(frozen=True)
class DbtProject:
    """This project with a database, profile, target and log folder of its own.

    Attributes:
        folder: Where those are; a test may write its own files there too.
    """

    folder: Path

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / "shop.duckdb"

    @property
    def common_arguments(self) -> list[str]:
        """The options that keep a call inside the folder."""
        return [
            "--project-dir",
            str(PROJECT_DIR),
            "--profiles-dir",
            str(self.folder),
            "--target-path",
            str(self.folder / "target"),
            "--log-path",
            str(self.folder / "logs"),
        ]

    def environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        """The caller's environment, with this database and `env` on top.

        dbt runs in the folder, so that every project names its database alike: dbt parses anew
        where a profile differs.
        """
        return {
            **os.environ,
            "DUCKDB_PATH": self.database.name,
            "DBT_USE_COLORS": "false",
            # Of each event, for nobody to read, an eighth of a build's time.
            "DBT_LOG_LEVEL_FILE": "info",
            # Its files about the whole project cost a second a call; a test that reads one asks.
            "DBT_WRITE_JSON": "false",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            **(env or {}),
        }

    def handed_on_parse(
        self, env: Mapping[str, str] | None, project_dir: Path = PROJECT_DIR
    ) -> AbstractContextManager[None]:
        """Around a call of dbt: what a project with equal files and settings parsed is used."""
        files = (self.folder / "profiles.yml", project_dir / "dbt_project.yml")
        return saved_parses.handed_on(
            self.folder / "target", self.environment(env), str(project_dir), *files
        )

    def run_dbt(
        self, *arguments: str, env: Mapping[str, str] | None = None, check: bool = True
    ) -> DbtResult:
        """Runs `dbt <arguments>` in a fresh process; with `check` a failure fails the test."""
        with self.handed_on_parse(env):
            process = subprocess.run(
                [sys.executable, "-m", "dbt.cli.main", *arguments, *self.common_arguments],
                env=self.environment(env),
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=False,
            )
        output = process.stdout + process.stderr
        if check:
            assert process.returncode == 0, output
        return DbtResult(process.returncode, output, {})

    def run_many(
        self, calls: Sequence[Sequence[str]], env: Mapping[str, str] | None = None
    ) -> list[DbtResult]:
        """Runs several dbt commands in one fresh process, without `check`."""
        with self.handed_on_parse(env):
            process = subprocess.run(
                [sys.executable, "-c", RUN_MANY, json.dumps(self.common_arguments)],
                env=self.environment(env),
                cwd=self.folder,
                input=json.dumps([list(call) for call in calls]),
                capture_output=True,
                text=True,
                check=False,
            )
        answers = [
            json.loads(line.removeprefix("ANSWER "))
            for line in process.stdout.splitlines()
            if line.startswith("ANSWER ")
        ]
        assert len(answers) == len(calls), process.stdout + process.stderr
        return [DbtResult(**answer) for answer in answers]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query on the database, opened read-only."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def create_dbt_project(folder: Path) -> DbtProject:
    """A project in an existing empty folder."""
    shutil.copy(PROJECT_DIR / "profiles.example.yml", folder / "profiles.yml")
    return DbtProject(folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of public data are long: their shops are many times those that we make."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("long")


@pytest.fixture
def dbt_project(tmp_path: Path) -> DbtProject:
    """A project for one test."""
    return create_dbt_project(tmp_path)


@pytest.fixture(scope="module")
def module_dbt_project(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A project that the tests of a module share."""
    return create_dbt_project(tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data; the test is skipped where it is not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no public data at {SHARED_DATA}; set SHARED_DATA to its folder")
    return SHARED_DATA


def running_dbt(folder: Path, **settings: str) -> Iterator["DbtWorker"]:
    """A dbt process with settings, ended when no test needs it any more."""
    # helpers imports this module, so it cannot be imported before this one is whole.
    from helpers import DbtWorker  # noqa: PLC0415

    worker = DbtWorker(folder, **settings)
    yield worker
    worker.close()


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator["DbtWorker"]:
    """One dbt process for the calls of all modules: what it parsed and imported serves them all."""
    yield from running_dbt(tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="session")
def dbt_without_texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator["DbtWorker"]:
    """The same where nothing scores texts, for modules that are about something else."""
    yield from running_dbt(tmp_path_factory.mktemp("dbt"), TEXT_ENGINE="none")
