"""Shops in `raw`, calls of dbt that share one process, and what a database holds."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from conftest import PROJECT_DIR, DbtProject, create_dbt_project

import dbt_worker
import saved_parses
from customer_insights.fingerprint import training_set_hash
from customer_insights.sample import RAW_SCHEMAS, ShopConfig, generate_blocks
from dbt_worker import Answer

Tables = dict[str, pa.Table]

# Fewer resamples than by default: intervals are a little rougher, builds much faster.
SETTINGS = {"SHOP_SOURCE": "raw", "BOOTSTRAP_REPLICATES": "100"}
# A build without its tests, which are what some tests are about and cost half of its time.
BUILD = ("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
# The command line, with a selection of its own.
SELECTED = """
import sys
from customer_insights import command_line

end = sys.argv.index("--")
command_line.SELECTION["build"] = ["--select", *sys.argv[1:end]]
sys.exit(command_line.main(sys.argv[end + 1 :]))
"""


class DbtWorker:
    """Runs dbt on DuckDB again and again in one process, which parses the project once.

    Args:
        folder: an empty folder for what dbt writes while it parses.
        preamble: Python that the process runs first.
        project_dir: the dbt project.
        settings: of all calls; those that decide which models there are must be among them.

    """

    def __init__(
        self,
        folder: Path,
        preamble: str = "",
        project_dir: Path = PROJECT_DIR,
        **settings: str,
    ) -> None:
        self._project_dir = project_dir
        self._settings = SETTINGS | settings
        self.project = create_dbt_project(folder)
        with self.project.handed_on_parse(self._settings, project_dir):
            self._worker = dbt_worker.DbtWorker(
                folder,
                self._common(self.project),
                self.project.environment(self._settings),
                preamble,
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
        answer = self._worker.call(
            project.folder,
            ["--quiet", *arguments, *self._common(project)],
            project.environment(self._settings | dict(env or {})),
        )
        assert answer.exit_code == 0 or not check, answer.output
        return answer

    def close(self) -> None:
        """End the process."""
        self._worker.close()


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
    """Row count and a fingerprint of the rows, whatever their order, of every table and view.

    Not of the run log, to which each run adds what it did.
    """
    with duckdb.connect(str(project.database), read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_name not in ('run_log', 'pipeline_runs', 'runtime_trends') order by 1"
        ).fetchall()
        return {
            name: connection.execute(
                f"select count(*), coalesce(sum(hash(t)), 0) from {name} as t"
            ).fetchall()[0]
            for (name,) in names
        }


@contextmanager
def started_build(
    project: DbtProject,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    project_dir: Path = PROJECT_DIR,
    command: str = "build",
    selected: Sequence[str] = (),
) -> Iterator[subprocess.Popen[str]]:
    """The process of `make_build`, which runs while the block does; it is waited for."""
    main = ["-m", "customer_insights"] if not selected else ["-c", SELECTED, *selected, "--"]
    variables = {
        "DUCKDB_PATH": str(project.database),
        "DBT_PROFILES_DIR": str(project.folder),
        "DBT_TARGET_PATH": str(project.folder / "target"),
        "DBT_LOG_PATH": str(project.folder / "logs"),
        "DBT_LOG_LEVEL_FILE": "info",
        "DBT_WRITE_JSON": "false",
    } | dict(env or {})
    # A copy of the project has the files of the project, but for those that were edited.
    files = (project.folder / "profiles.yml", project_dir / "dbt_project.yml")
    with saved_parses.handed_on(
        Path(variables["DBT_TARGET_PATH"]), variables, variables["DUCKDB_PATH"], *files
    ):
        process = subprocess.Popen(
            [sys.executable, *main, command, *arguments],
            cwd=project_dir,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            yield process


def make_build(
    project: DbtProject, *arguments: str, **options: Any
) -> subprocess.CompletedProcess[str]:
    """What `make build` or another command runs, in the project's own folders.

    A build of selected nodes takes less time than one of all. Options are those of started_build.
    """
    with started_build(project, *arguments, **options) as process:
        shown, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, shown, errors)


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


def label_lineage(dbt: DbtWorker, project: DbtProject) -> str:
    """The query of the labels that each version learned from, compiled."""
    dbt.run(project, "compile", "--select", "label_lineage")
    (compiled,) = project.folder.glob("target/compiled/*/analyses/label_lineage.sql")
    return compiled.read_text(encoding="utf-8")


def rebuilt_hash(
    project: DbtProject,
    lineage: str,
    decision: Mapping[str, Any],
    features: str,
    keys: Sequence[str],
    label: str,
    value: str = "is_positive",
) -> str:
    """The fingerprint of a decision's training set, made of labels of the lineage.

    `features` is the relation of its features, `keys` are those of a row, and `value` is the column
    of the lineage that stands for the label.
    """
    names = ", ".join(f"f.{name}" for name in json.loads(decision["feature_names"]))
    same = [f"l.{of} = f.{key}" for of, key in zip(("entity_id", "as_of_on"), keys, strict=False)]
    ordered = ", ".join(f"f.{key}" for key in keys)
    with duckdb.connect(str(project.database), read_only=True) as connection:
        rows = connection.sql(
            f"select {ordered}, l.split, l.{value} as {label}, {names} "
            f"from ({lineage}) as l inner join {features} as f on {' and '.join(same)} "
            f"where l.model_name = '{decision['model_name']}' "
            f"and l.decision_number = {decision['decision_number']} order by {ordered}"
        ).to_arrow_table()
    parts = ("train", "validation", "test")
    assert rows.num_rows == sum(decision[f"{part}_rows"] for part in parts)
    return training_set_hash(rows)
