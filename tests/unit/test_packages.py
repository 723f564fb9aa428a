"""Versions are pinned in one place, and a local build can have the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from customer_insights.packages import channel_constraints, declared, python_version, write_pins

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
