"""Before anything is built on an account, it is said what is missing; after it, what held."""

from __future__ import annotations

from pathlib import Path

import pytest

from customer_insights.errors import CustomerInsightsError
from customer_insights.verification import (
    Check,
    check_credentials,
    check_pins,
    missing_variables,
    report,
)

ACCOUNT = {"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_USER": "u"}


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({}, ["SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_PRIVATE_KEY_PATH"]),
        (ACCOUNT, ["SNOWFLAKE_PRIVATE_KEY_PATH"]),
        (ACCOUNT | {"SNOWFLAKE_PRIVATE_KEY_PATH": "key.p8"}, []),
        (ACCOUNT | {"SNOWFLAKE_AUTHENTICATOR": "oauth"}, ["SNOWFLAKE_TOKEN"]),
        (ACCOUNT | {"SNOWFLAKE_AUTHENTICATOR": "OAuth", "SNOWFLAKE_TOKEN": "t"}, []),
        (ACCOUNT | {"SNOWFLAKE_USER": "", "SNOWFLAKE_PRIVATE_KEY_PATH": "k"}, ["SNOWFLAKE_USER"]),
    ],
)
def test_the_variables_that_a_connection_needs_are_named(
    environment: dict[str, str], missing: list[str]
) -> None:
    assert missing_variables(environment) == missing


def test_without_credentials_it_is_said_what_to_set() -> None:
    with pytest.raises(CustomerInsightsError, match="set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER"):
        check_credentials({})
    check_credentials(ACCOUNT | {"SNOWFLAKE_PRIVATE_KEY_PATH": "key.p8"})


def test_the_report_says_of_each_check_whether_it_held() -> None:
    checks = [Check("one", True, "1 | 2"), Check("two", False, "no")]
    page = report(checks, "account a at localhost:1")
    assert page.startswith("# The Snowflake target on account a at localhost:1\n")
    assert "1 of 2 checks held" in page
    assert "| one | yes | 1 / 2 |" in page
    assert "| two | **no** | no |" in page


@pytest.mark.parametrize(("version", "is_refused"), [("", True), ("==3.0.2", False)])
def test_only_what_a_build_needs_has_to_be_pinned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str, *, is_refused: bool
) -> None:
    project = tmp_path / "dbt_project.yml"
    project.write_text(f"""\
models:
  customer_insights:
    +packages: [xgboost{version}]
    tuning: {{internal: {{+packages: [optuna]}}}}
""")
    if is_refused:
        with pytest.raises(CustomerInsightsError, match="No version is pinned of xgboost; type"):
            check_pins(project)
    else:
        check_pins(project)
        assert "of optuna, which only `make tune` needs" in capsys.readouterr().out
