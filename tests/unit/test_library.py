"""The library travels as a zip that is the same wherever it is built."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from customer_insights import library
from customer_insights.errors import CustomerInsightsError

PROJECT = Path(__file__).resolve().parents[2]


def test_the_name_holds_the_md5_of_the_bytes_and_two_builds_are_the_same(tmp_path: Path) -> None:
    first, second = library.build_zip(tmp_path / "one"), library.build_zip(tmp_path / "two")
    assert first.read_bytes() == second.read_bytes()
    digest = hashlib.md5(first.read_bytes(), usedforsecurity=False).hexdigest()
    assert first.name == second.name == f"customer_insights_{digest}.zip"


def test_the_time_of_a_file_and_the_folder_of_the_caller_do_not_change_the_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = library.zip_bytes()
    monkeypatch.chdir(tmp_path)
    source = library.PACKAGE / "errors.py"
    times = source.stat()
    try:
        os.utime(source, (1, 1))
        assert library.zip_bytes() == before
    finally:
        os.utime(source, (times.st_atime, times.st_mtime))


def test_dbt_project_imports_the_library_as_it_is() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    (path,) = project["models"]["customer_insights"]["+imports"]
    assert path.rpartition("/")[2] == library.zip_name(), "type: make format"


def test_what_python_models_import_works_from_the_zip_alone(tmp_path: Path) -> None:
    path = library.build_zip(tmp_path)
    modules = ("training", "scoring", "explaining", "repeated_evaluation", "tuning")
    code = "; ".join(f"import customer_insights.{name} as {name}" for name in modules)
    found = subprocess.run(
        [sys.executable, "-c", f"{code}; print(training.__file__)"],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip().startswith(str(path))


def test_the_zip_holds_no_code_for_a_laptop(tmp_path: Path) -> None:
    with zipfile.ZipFile(library.build_zip(tmp_path)) as archive:
        names = archive.namelist()
    assert "customer_insights/engine/on_snowflake.py" in names
    assert not [name for name in names if "/sample/" in name or "command_line" in name]


def test_a_project_file_without_the_name_is_told_of(tmp_path: Path) -> None:
    project_file = tmp_path / "dbt_project.yml"
    project_file.write_text("name: other\n")
    with pytest.raises(CustomerInsightsError, match="names no customer_insights_<md5>"):
        library.name_in_project(project_file)


def test_languages_are_recognised_from_the_zip_alone(tmp_path: Path) -> None:
    path = library.build_zip(tmp_path)
    code = (
        "import py3langid; from customer_insights.text.language import detect; "
        "print(py3langid.__file__, detect('Nicht das Geld wert').code)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    origin, language = found.stdout.split()
    assert origin.startswith(str(path))
    assert language == "de"
