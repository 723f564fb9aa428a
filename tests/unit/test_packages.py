"""Versions are pinned in one place, and a local build can have the same."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from customer_insights import packages
from customer_insights.errors import CustomerInsightsError
from customer_insights.packages import (
    channel_constraints,
    declared,
    only_for_tuning,
    pin,
    python_version,
    write_pins,
)

PROJECT = """\
models:
  customer_insights:
    +python_version: "3.11"
    +packages:
      - numpy
      - xgboost==2.0.3  # a reason
      - snowflake-snowpark-python
    settings:
      +group: numpy
"""


@pytest.fixture
def project_file(tmp_path: Path) -> Path:
    path = tmp_path / "dbt_project.yml"
    path.write_text(PROJECT.replace("  # a reason", ""))
    return path


def test_what_is_declared_is_read_with_and_without_versions(project_file: Path) -> None:
    assert declared(project_file) == {
        "numpy": "",
        "xgboost": "2.0.3",
        "snowflake-snowpark-python": "",
    }
    assert python_version(project_file) == "3.11"


def test_pins_are_written_beside_the_names_and_replaced_by_the_next(project_file: Path) -> None:
    before = project_file.read_text()
    write_pins({"numpy": "2.2.5", "xgboost": "3.0.2"}, project_file)
    assert declared(project_file) | {"snowflake-snowpark-python": ""} == {
        "numpy": "2.2.5",
        "xgboost": "3.0.2",
        "snowflake-snowpark-python": "",
    }
    write_pins({"numpy": "2.3.0"}, project_file)
    assert declared(project_file)["numpy"] == "2.3.0"
    assert project_file.read_text().splitlines()[-2:] == before.splitlines()[-2:]


def test_a_local_build_can_have_the_pinned_versions(project_file: Path, tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("numpy==9\nscipy==9\nxgboost-cpu==9\nother==1\n")
    lines = channel_constraints(project_file, constraints).splitlines()
    assert lines == ["numpy==9", "other==1", "xgboost-cpu==2.0.3"]


def test_without_pins_the_constraints_stay_as_they_are(project_file: Path, tmp_path: Path) -> None:
    project_file.write_text(project_file.read_text().replace("==2.0.3", ""))
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("numpy==9\nscipy==9\n")
    assert channel_constraints(project_file, constraints) == "numpy==9\nscipy==9\n"


# --- a channel that lacks what only a search for parameters needs ---

SEARCHING = """\
    tuning:
      internal:
        +packages:
          - optuna
"""


class Channel:
    """What an account answers: versions of what it has, an error where a package is not there."""

    def __init__(self, has: Sequence[str], *, names_none: bool) -> None:
        self._has = has
        self._names_none = names_none

    def query(self, sql: str) -> list[dict[str, str]]:
        asked = re.findall(r"'([a-z-]+)'", sql)
        lacking = [name for name in asked if name not in self._has]
        if lacking and not self._names_none:
            raise CustomerInsightsError(f"Packages not found: {', '.join(lacking)}")
        return [{"answer": json.dumps([f"{name}==1.0" for name in asked if name in self._has])}]


NEEDED = ["numpy", "xgboost", "snowflake-snowpark-python"]


@pytest.fixture
def searching(project_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose searches need one package more, in the folder that commands run in."""
    project_file.write_text(project_file.read_text() + SEARCHING)
    monkeypatch.chdir(project_file.parent)
    # `pin` sets it; this puts it back.
    monkeypatch.setenv("DBT_TARGET", "local")
    return project_file


@pytest.mark.parametrize("names_none", [True, False])
@pytest.mark.parametrize("has", [NEEDED, [*NEEDED, "optuna"]])
def test_what_only_tuning_needs_is_pinned_where_the_channel_has_it(
    searching: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has: list[str],
    *,
    names_none: bool,
) -> None:
    assert only_for_tuning(searching) == ["optuna"]
    monkeypatch.setattr(packages, "Dbt", lambda: Channel(has, names_none=names_none))
    assert pin() == 0
    pinned = {name: "1.0" if name in has else "" for name in [*NEEDED, "optuna"]}
    assert declared(searching) == pinned
    sentence = "no version of optuna, which only `make tune` needs"
    assert (sentence in capsys.readouterr().out) == ("optuna" not in has)


@pytest.mark.parametrize("names_none", [True, False])
def test_what_a_build_needs_has_to_be_there(
    searching: Path, monkeypatch: pytest.MonkeyPatch, *, names_none: bool
) -> None:
    before = searching.read_text()
    channel = Channel(["numpy", "snowflake-snowpark-python"], names_none=names_none)
    monkeypatch.setattr(packages, "Dbt", lambda: channel)
    with pytest.raises(CustomerInsightsError, match="xgboost"):
        pin()
    assert searching.read_text() == before
