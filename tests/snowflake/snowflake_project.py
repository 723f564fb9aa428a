"""This project on an emulator: its profile, its staged library, and calls of dbt."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml
from emulator.client import Emulator

import saved_parses
from customer_insights.comparison import Row
from customer_insights.library import build_zip
from customer_insights.sample import RAW_SCHEMAS
from dbt_worker import Answer, DbtWorker

PROJECT_DIR = Path(__file__).resolve().parents[2]
# Fewer resamples than by default: intervals are a little rougher, builds much faster.
SETTINGS = {
    "BOOTSTRAP_REPLICATES": "100",
    "DBT_USE_COLORS": "false",
    # dbt's files about the whole project cost a second a call; a test that reads one asks.
    "DBT_WRITE_JSON": "false",
}
STAGE = "deployment.library"
BUILD_SECONDS = 240
# A build without its tests, which cost more than half of its time.
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
ROWS_PER_INSERT = 500
# What a copy of the project holds.
PROJECT_FILES = (
    "analyses",
    "dbt_project.yml",
    "constraints.txt",
    "macros",
    "models",
    "seeds",
    "snapshots",
    "tests/data",
)


@dataclass
class SnowflakeProject:
    """This project on an emulator, with folders of its own.

    Attributes:
        folder: where its profile, target and logs are.
        emulator: the account that it builds in.
        project: the dbt project, this one or a copy.

    """

    folder: Path
    emulator: Emulator
    worker: DbtWorker
    settings: Mapping[str, str] = field(default_factory=dict)
    project: Path = PROJECT_DIR

    @property
    def target(self) -> Path:
        """dbt's target folder."""
        return self.folder / "target"

    def dbt(
        self, *arguments: str, env: Mapping[str, str] | None = None, check: bool = True
    ) -> Answer:
        """Run `dbt <arguments>`; with `check` a failure fails the test."""
        answer = self.worker.call(
            self.folder,
            ["--quiet", *arguments, *options(self.folder, project=self.project)],
            environment() | dict(self.settings) | dict(env or {}),
        )
        assert answer.exit_code == 0 or not check, answer.output
        return answer


def typed(project: SnowflakeProject, *arguments: str, **env: str) -> str:
    """What `python -m customer_insights <arguments>` shows, in a process of its own.

    Its target folder is its own too: what a build wrote of the project stays.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "customer_insights", *arguments],
        cwd=project.project,
        env=environment()
        | dict(project.settings)
        | {
            "DBT_PROFILES_DIR": str(project.folder),
            "DBT_TARGET_PATH": str(project.folder / "typed" / "target"),
            "DBT_LOG_PATH": str(project.folder / "typed" / "logs"),
        }
        | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_SECONDS,
    )
    shown = ended.stdout + ended.stderr
    assert ended.returncode == 0, shown
    assert "Traceback" not in shown
    return shown


def options(folder: Path, profiles: Path | None = None, project: Path = PROJECT_DIR) -> list[str]:
    """The options that keep a call of dbt inside a folder; its profile may be elsewhere."""
    return [
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(profiles or folder),
        "--target-path",
        str(folder / "target"),
        "--log-path",
        str(folder / "logs"),
    ]


def environment() -> dict[str, str]:
    """The caller's environment, with the emulator's account as the Snowflake target."""
    return {
        **os.environ,
        **SETTINGS,
        "DBT_TARGET": "snowflake",
        "SNOWFLAKE_ACCOUNT": "test",
        "SNOWFLAKE_USER": "tester",
        "SNOWFLAKE_AUTHENTICATOR": "oauth",
        "SNOWFLAKE_TOKEN": "token",
        "SNOWFLAKE_DATABASE": "CUSTOMER_INSIGHTS",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # Of each event, for nobody to read, an eighth of a build's time.
        "DBT_LOG_LEVEL_FILE": "info",
    }


def write_profile(folder: Path, emulator: Emulator | None) -> None:
    """The profile that users copy, with the emulator's address; without one it serves to parse."""
    profile = yaml.safe_load((PROJECT_DIR / "profiles.example.yml").read_text(encoding="utf-8"))
    profile["customer_insights"]["outputs"]["snowflake"] |= {
        "host": emulator.host if emulator else "localhost",
        "port": emulator.port if emulator else 1,
        "protocol": "http",
        "connect_retries": 0,
        "retry_all": False,
        "threads": 4,
    }
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile), encoding="utf-8")


def set_up_account(emulator: Emulator) -> None:
    """The database, the stage and the staged library that a build needs."""
    emulator.execute(
        "create database if not exists customer_insights",
        "create schema if not exists customer_insights.deployment",
        "create stage if not exists customer_insights.deployment.library "
        "encryption = (type = 'SNOWFLAKE_SSE')",
    )


def stage_library(emulator: Emulator, folder: Path) -> None:
    """Put the library on its stage, as `make deploy-snowflake` does."""
    path = build_zip(folder)
    emulator.execute(
        f"put 'file://{path}' @customer_insights.{STAGE} auto_compress = false overwrite = true"
    )


def put_raw(emulator: Emulator, tables: Mapping[str, pa.Table]) -> None:
    """Put tables into `raw`, replacing those of the same name."""
    emulator.execute("create schema if not exists customer_insights.raw")
    for name, rows in tables.items():
        if name not in RAW_SCHEMAS:
            continue
        columns = ", ".join(f"{field.name} {type_of(field.type)}" for field in rows.schema)
        emulator.execute(f"create or replace table customer_insights.raw.{name} ({columns})")
        for batch in rows.to_batches(ROWS_PER_INSERT):
            values = ", ".join(
                "(" + ", ".join(map(literal, row.values())) + ")" for row in batch.to_pylist()
            )
            emulator.execute(f"insert into customer_insights.raw.{name} values {values}")


def type_of(kind: pa.DataType) -> str:
    """Snowflake's name of a type of the raw contract."""
    if pa.types.is_decimal(kind):
        return f"number({kind.precision}, {kind.scale})"
    for is_kind, name in (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "double"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamp_ntz"),
    ):
        if is_kind(kind):
            return name
    return "varchar"


def literal(value: Any) -> str:
    """A value as SQL."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float | Decimal):
        return str(value).lower()
    text = str(value).replace("\\", "\\\\").replace("'", "''")
    return f"'{text}'"


def checkout(folder: Path) -> Path:
    """A copy of the dbt project."""
    for name in PROJECT_FILES:
        source, place = PROJECT_DIR / name, folder / name
        if source.is_dir():
            shutil.copytree(source, place)
        else:
            shutil.copy(source, place)
    return folder


def open_project(
    folder: Path, emulator: Emulator, project: Path = PROJECT_DIR, **settings: str
) -> SnowflakeProject:
    """The project on an emulator, in an empty folder, with settings for all of its calls."""
    write_profile(folder, emulator)
    worker = start_worker(folder, project, **settings)
    return SnowflakeProject(folder, emulator, worker, settings, project)


def start_worker(folder: Path, project: Path = PROJECT_DIR, **settings: str) -> DbtWorker:
    """A dbt that has parsed the project with settings.

    Its profile is the same for every emulator, since dbt parses anew where the address differs.
    """
    profiles = folder / "parsed_with"
    profiles.mkdir()
    write_profile(profiles, None)
    with handed_on_parse(folder, profiles, environment() | settings, project):
        return DbtWorker(folder, options(folder, profiles, project), environment() | settings)


def handed_on_parse(
    folder: Path, profiles: Path, variables: Mapping[str, str], project: Path = PROJECT_DIR
) -> AbstractContextManager[None]:
    """Around a call of dbt: what it parsed with an equal profile and equal settings is used."""
    files = (profiles / "profiles.yml", project / "dbt_project.yml")
    return saved_parses.handed_on(folder / "target", variables, *files)


def build_on_duckdb(folder: Path, *arguments: str, **env: str) -> None:
    """`dbt build <arguments>` on DuckDB, in `shop.duckdb` of a folder."""
    shutil.copy(PROJECT_DIR / "profiles.example.yml", folder / "profiles.yml")
    # By its name only, as every folder's: dbt parses anew where the profile differs.
    variables = os.environ | SETTINGS | {"DBT_TARGET": "local", "DUCKDB_PATH": "shop.duckdb"} | env
    call = ["build", *arguments, *options(folder)]
    with handed_on_parse(folder, folder, variables):
        answer = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "--quiet", *call],
            env=variables,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def public_tables(target: Path) -> dict[str, str]:
    """The tables that others may read, by name, with their schema; from dbt's target folder."""
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    return {
        node["name"]: node["schema"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["access"] == "public"
    }


def rows_on_snowflake(emulator: Emulator, table: str) -> list[Row]:
    """All rows of a table of the project, columns in lower case."""
    with emulator.connection.cursor() as cursor:
        cursor.execute(f"select * from customer_insights.{table}")
        names = [column.name.lower() for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def rows_on_duckdb(database: Path, table: str) -> list[Row]:
    """The same of a database of DuckDB."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows: list[Row] = connection.table(table).to_arrow_table().to_pylist()
        return rows
