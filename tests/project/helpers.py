"""Shops in `raw`, calls of dbt that share one process, and what a database holds."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from conftest import PROJECT_DIR, DbtProject, create_dbt_project

from customer_insights.sample import RAW_SCHEMAS, ShopConfig, generate_blocks

Tables = dict[str, pa.Table]

# Fewer resamples than by default: intervals are a little rougher, builds much faster.
SETTINGS = {"SHOP_SOURCE": "raw", "BOOTSTRAP_REPLICATES": "100"}
# A build without its tests, which are what some tests are about and cost half of its time.
BUILD = ("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")

# Reads one JSON call per line from standard input and answers each with one line. The project is
# parsed once; every call has a folder, a profile and an environment of its own.
WORKER = """
import json, os, sys, time
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

exec(sys.argv[2])
started_with = dict(os.environ)
parsed = dbtRunner().invoke(["--quiet", "parse", *json.loads(sys.argv[1])])
if not parsed.success:
    raise SystemExit(f"dbt parse failed: {parsed.exception}")
for line in sys.stdin:
    call = json.loads(line)
    os.environ.clear()
    os.environ.update(started_with | call["environment"])
    time.tzset()
    os.chdir(call["folder"])
    lines = []
    def keep(event):
        if event.info.level != "debug":
            lines.append(event.info.msg)
    result = dbtRunner(manifest=parsed.result, callbacks=[keep]).invoke(call["arguments"])
    DuckDBConnectionManager.close_all_connections()  # as dbt does when its process ends
    nodes = getattr(result.result, "results", None) or []
    answer = {
        "exit_code": 0 if result.success else 1 if result.exception is None else 2,
        "output": "\\n".join(lines),
        "statuses": {n.node.name: str(n.status) for n in nodes if getattr(n, "node", None)},
    }
    print("ANSWER " + json.dumps(answer), flush=True)
"""


@dataclass(frozen=True)
class Answer:
    """What a call of dbt gave back.

    Attributes:
        exit_code: 0 where it succeeded.
        output: What it said, dbt's debug lines left out.
        statuses: The status of each node that ran, by name.

    """

    exit_code: int
    output: str
    statuses: Mapping[str, str]


class DbtWorker:
    """Runs dbt again and again in one process, which parses the project once.

    Args:
        folder: an empty folder for what dbt writes while it parses.
        preamble: Python that the process runs first.
        project_dir: the dbt project.

    """

    def __init__(self, folder: Path, preamble: str = "", project_dir: Path = PROJECT_DIR) -> None:
        self._project_dir = project_dir
        self.project = create_dbt_project(folder)
        self._errors = (folder / "errors.txt").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, json.dumps(self._common(self.project)), preamble],
            env=self.project.environment(SETTINGS),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def _common(self, project: DbtProject) -> list[str]:
        arguments = project.common_arguments
        return ["--project-dir", str(self._project_dir), *arguments[2:]]

    def run(
        self,
        project: DbtProject,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> Answer:
        """Run dbt on the database of a project; with `check` a failure fails the test."""
        call = {
            "arguments": ["--quiet", *arguments, *self._common(project)],
            "environment": project.environment(SETTINGS | dict(env or {})),
            "folder": str(project.folder),
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        shown = []
        for line in self._process.stdout:
            if line.startswith("ANSWER "):
                answer = Answer(**json.loads(line.removeprefix("ANSWER ")))
                assert answer.exit_code == 0 or not check, answer.output
                return answer
            shown.append(line)
        self._errors.seek(0)
        raise AssertionError("".join(shown) + self._errors.read())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=60)
        assert self._process.stdout
        self._process.stdout.close()
        self._errors.close()


@cache
def shop(config: ShopConfig) -> Tables:
    """The raw tables of a generated shop, and the truth behind them."""
    blocks = list(generate_blocks(config))
    return {name: pa.concat_tables([block[name] for block in blocks]) for name in blocks[0]}


def put_raw(project: DbtProject, tables: Tables, *statements: str) -> None:
    """Put tables into `raw`, replacing those of the same name; then run SQL statements."""
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("create schema if not exists raw")
        for name in RAW_SCHEMAS:
            if name in tables:
                connection.register("made", tables[name])
                connection.execute(f"create or replace table raw.{name} as select * from made")
        for statement in statements:
            connection.execute(statement)


def change(project: DbtProject, *statements: str) -> None:
    """Run SQL statements on the database of a project."""
    put_raw(project, {}, *statements)


def copy_of(project: DbtProject, folder: Path) -> DbtProject:
    """A project in another folder, with the same database."""
    shutil.copy(project.database, folder / project.database.name)
    return create_dbt_project(folder)


def contents(project: DbtProject) -> dict[str, tuple[int, int]]:
    """Row count and a fingerprint of the rows, whatever their order, of every table and view."""
    with duckdb.connect(str(project.database), read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall()
        return {
            name: connection.execute(
                f"select count(*), coalesce(sum(hash(t)), 0) from {name} as t"
            ).fetchall()[0]
            for (name,) in names
        }


def make_build(
    project: DbtProject,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    project_dir: Path = PROJECT_DIR,
) -> subprocess.CompletedProcess[str]:
    """What `make build` runs, in the project's own folders."""
    return subprocess.run(
        [sys.executable, "-m", "customer_insights", "build", *arguments],
        cwd=project_dir,
        env=os.environ
        | {
            "DUCKDB_PATH": str(project.database),
            "DBT_PROFILES_DIR": str(project.folder),
            "DBT_TARGET_PATH": str(project.folder / "target"),
            "DBT_LOG_PATH": str(project.folder / "logs"),
        }
        | dict(env or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def project_files(folder: Path) -> Path:
    """A copy of the dbt project's own files, to be edited."""
    for name in ("models", "macros", "seeds", "snapshots", "analyses", "tests/data"):
        shutil.copytree(PROJECT_DIR / name, folder / name)
    shutil.copy(PROJECT_DIR / "dbt_project.yml", folder)
    return folder


def rows_of(project: DbtProject, sql: str) -> list[dict[str, Any]]:
    """The rows of a query, each by column name."""
    with duckdb.connect(str(project.database), read_only=True) as connection:
        return connection.sql(sql).to_arrow_table().to_pylist()
