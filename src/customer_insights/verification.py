"""Prove the Snowflake target on a real account: build the sample twice, and compare with DuckDB.

`make verify-snowflake` runs this. It builds in schemas of its own (`verification_sample`, ...),
which it drops first, and writes what held into a report. DuckDB builds the same shop with the
versions of Snowflake's channel: another XGBoost grows other trees.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from customer_insights.comparison import LOGS, OF_THE_CLOCK, differences
from customer_insights.dbt_calls import Dbt
from customer_insights.errors import CustomerInsightsError
from customer_insights.library import BUILD_FOLDER, PROJECT_FILE, build_zip
from customer_insights.packages import declared, only_for_tuning

SCHEMA = "verification"
SETTINGS = {
    "DBT_TARGET": "snowflake",
    "ML_SCHEMA": SCHEMA,
    "SHOP_SOURCE": "sample",
    "TEXT_ENGINE": "embedded",
}
REPORT = BUILD_FOLDER / "snowflake-verification.md"
DATABASE = BUILD_FOLDER / "verification.duckdb"
# What dbt compiles for DuckDB does not replace what it compiled for Snowflake.
DUCKDB_TARGET = BUILD_FOLDER / "verification-on-duckdb"
NEEDED = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER")
KEY, TOKEN = "SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_TOKEN"
SHOWN = 5
# The first build runs all tests. Of what is compared with it row by row, only the tables count.
TABLES_ONLY = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")


@dataclass(frozen=True)
class Check:
    """One thing that was proved or not, and with which figure."""

    what: str
    is_held: bool
    detail: str

    def __str__(self) -> str:
        """The check as a line for a person."""
        return f"  {'held  ' if self.is_held else 'FAILED'}  {self.what}: {self.detail}"


def missing_variables(environment: Mapping[str, str]) -> list[str]:
    """The variables that a connection needs and that are not set."""
    missing = [name for name in NEEDED if not environment.get(name)]
    is_oauth = environment.get("SNOWFLAKE_AUTHENTICATOR", "").lower() == "oauth"
    who = TOKEN if is_oauth else KEY
    return missing if environment.get(who) else [*missing, who]


def check_credentials(environment: Mapping[str, str]) -> None:
    """Stop where a connection to Snowflake cannot be made for want of a variable.

    Raises:
        CustomerInsightsError: naming the variables that are missing.

    """
    missing = missing_variables(environment)
    if missing:
        raise CustomerInsightsError(
            f"To verify on Snowflake, set {', '.join(missing)}. By default a key pair is used; for "
            f"OAuth set SNOWFLAKE_AUTHENTICATOR=oauth and {TOKEN}. deploy/snowflake/README.md says "
            "how to set up an account."
        )


def verify(local_python: str = sys.executable) -> int:
    """Run every check, print each as it is done, and write the report.

    Args:
        local_python: interpreter of an environment with the channel's versions, for DuckDB.

    Raises:
        CustomerInsightsError: the versions of packages are not pinned.

    """
    check_pins()
    os.environ |= SETTINGS
    dbt = Dbt()
    checks = []
    for check in _checks(dbt, local_python):
        print(check, flush=True)
        checks.append(check)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(checks, dbt.account()), encoding="utf-8")
    print(f"\nReport: {REPORT}")
    return 0 if all(check.is_held for check in checks) else 1


def check_pins(project_file: Path = PROJECT_FILE) -> None:
    """Stop where a package of a build has no pinned version; say which one only a search lacks.

    Raises:
        CustomerInsightsError: naming the packages of a build that are not pinned.

    """
    extra = only_for_tuning(project_file)
    unpinned = [name for name, version in declared(project_file).items() if not version]
    if needed := [name for name in unpinned if name not in extra]:
        raise CustomerInsightsError(
            f"No version is pinned of {', '.join(needed)}; type: make pin-snowflake. DuckDB can "
            "only be compared with Snowflake where both run the same versions."
        )
    if unpinned:
        print(
            f"No version is pinned of {', '.join(unpinned)}, which only `make tune` needs: a "
            "search for parameters is no part of this."
        )


def report(checks: Sequence[Check], account: str) -> str:
    """The checks as a Markdown page; `account` says what they ran on."""
    held = sum(check.is_held for check in checks)
    lines = [
        (check.what, "yes" if check.is_held else "**no**", check.detail.replace("|", "/"))
        for check in checks
    ]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"# The Snowflake target on {account}\n\n{held} of {len(checks)} checks held.\n\n"
        f"| check | held | detail |\n|---|---|---|\n{rows}\n"
    )


def _checks(dbt: Dbt, local_python: str) -> Iterator[Check]:
    yield Check("account", *dbt.operation("check_snowflake_set_up"))
    yield Check("library", *dbt.operation("stage_library", path=str(build_zip(BUILD_FOLDER))))
    yield Check("clean start", *dbt.operation("drop_own_schemas"))
    built, detail = dbt.build()
    yield Check("first build of the sample, all tests", built, detail)
    if not built:
        return
    first = {name: dbt.read(name) for name in dbt.public_tables() if name not in OF_THE_CLOCK}
    yield Check("second build, nothing new", *dbt.build(*TABLES_ONLY))
    yield from _unchanged(dbt, first)
    yield Check("documentation", *dbt.run("docs", "generate"))
    yield from _same_as_duckdb(first, local_python)


def _unchanged(dbt: Dbt, first: Mapping[str, list[dict[str, Any]]]) -> Iterator[Check]:
    for name, before in first.items():
        after = dbt.read(name)
        if name == "model_runs":
            decisions = sorted({str(row["decision"]) for row in after[len(before) :]} or {"none"})
            newest = [row["decision"] for row in after if row["decision_number"] == 2]
            yield Check("nothing was trained again", set(newest) == {"kept"}, ", ".join(decisions))
        elif name == "text_scoring_runs":
            scored = sum(row["scored_count"] for row in after) - sum(
                row["scored_count"] for row in before
            )
            yield Check("no text was scored again", not scored, f"{scored} texts")
        elif name not in LOGS:
            found = differences(name, before, after)
            yield Check(f"{name} is unchanged", not found, _shown(found, len(after)))


def _same_as_duckdb(
    first: Mapping[str, list[dict[str, Any]]], local_python: str
) -> Iterator[Check]:
    DATABASE.unlink(missing_ok=True)
    local = subprocess.run(  # noqa: S603  (the interpreter is the caller's own choice)
        [local_python, "-m", "dbt.cli.main", "build", "--target", "local", *TABLES_ONLY],
        env=os.environ
        | {
            "DBT_TARGET": "local",
            "DBT_TARGET_PATH": str(DUCKDB_TARGET),
            "DUCKDB_PATH": str(DATABASE),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    said = local.stdout.strip().splitlines()
    yield Check("the same build on DuckDB", local.returncode == 0, said[-1] if said else "")
    if local.returncode == 0:
        import duckdb  # noqa: PLC0415  (not needed to say which variables are missing)

        with duckdb.connect(str(DATABASE), read_only=True) as connection:
            for name, found in first.items():
                rows = connection.table(f"{SCHEMA}_sample.{name}").to_arrow_table().to_pylist()
                apart = differences(name, rows, found)
                yield Check(f"{name} equals DuckDB's", not apart, _shown(apart, len(rows)))


def _shown(found: Sequence[object], rows: int) -> str:
    return "; ".join(map(str, found[:SHOWN])) or f"{rows:,} rows"
