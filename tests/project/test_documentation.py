"""What README and docs say is what the project does."""

import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT_DIR

README = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
CATALOG = (PROJECT_DIR / "macros/settings/settings_catalog.sql").read_text(encoding="utf-8")
PROJECT = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))


def catalog() -> dict[str, str]:
    """Name of each setting, and the environment variable that overrides it."""
    entries = re.findall(r"^        '(\w+)': \{(.*?)\},?$", CATALOG, re.MULTILINE | re.DOTALL)
    return {
        name: (re.search(r"'env': '(\w+)'", entry) or [None, name.upper()])[1]
        for name, entry in entries
    }


def test_every_setting_has_a_default_and_a_default_is_a_setting() -> None:
    assert set(catalog()) == set(PROJECT["vars"])


@pytest.mark.parametrize("name", sorted(PROJECT["vars"]))
def test_the_readme_states_each_setting_with_its_variable_and_default(name: str) -> None:
    default = PROJECT["vars"][name]
    shown = default if isinstance(default, str) else json.dumps(default)
    assert f"| `{name}` | `{catalog()[name]}` | `{shown}` |" in README


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([\w-]+)", README)) - {"sure"}))
def test_the_readme_names_make_targets_that_exist(target: str) -> None:
    makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_no_file_names_a_registry_or_a_home_of_this_machine() -> None:
    constraints = (PROJECT_DIR / "constraints.txt").read_text(encoding="utf-8")
    assert "index-url" not in constraints
    assert "@ file" not in constraints


# --- pages of alerts and of tests ---

ALERT_PAGES = PROJECT_DIR / "docs" / "monitoring"
TEST_PAGES = PROJECT_DIR / "docs" / "tests"
PAGES = sorted(
    path
    for folder in (ALERT_PAGES, TEST_PAGES)
    for path in folder.glob("*.md")
    if path.name != "README.md"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_is_claimed_why_it_is_flagged_and_what_to_do(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = re.fullmatch(
        r"# (\w+)\n\n\*\*(.+)\.\*\*\n\n(?:- .+\n)*\n?## Why it is flagged\n\n(.+?)\n"
        r"## What to do\n\n(1\. .+)",
        text,
        re.DOTALL,
    )
    assert found, text
    assert found[1] == page.stem
    index = (page.parent / "README.md").read_text(encoding="utf-8")
    assert f"| [{page.stem}]({page.name}) | {found[2]} |" in index


def test_each_kind_of_alert_has_a_page() -> None:
    path = PROJECT_DIR / "seeds" / "vocabulary" / "alert_vocabulary.csv"
    with path.open(encoding="utf-8", newline="") as vocabulary:
        pages = {row["kind"]: row["page"] for row in csv.DictReader(vocabulary)}
    assert pages == {
        page.stem: str(page.relative_to(PROJECT_DIR))
        for page in PAGES
        if page.parent == ALERT_PAGES
    }


def kinds_used(described: Any) -> Iterator[str]:
    """Names of the data tests below a part of a `.yml`."""
    if isinstance(described, dict):
        for key, value in described.items():
            if key == "data_tests":
                yield from (name if isinstance(name, str) else next(iter(name)) for name in value)
            else:
                yield from kinds_used(value)
    elif isinstance(described, list):
        for value in described:
            yield from kinds_used(value)


@cache
def data_tests() -> set[str]:
    """Singular tests by name, the others by kind; unit tests are a kind, too."""
    folder = PROJECT_DIR / "tests" / "data"
    own = {path.stem for path in (*folder.glob("*.sql"), *folder.glob("generic/*.sql"))}
    files = [
        path
        for name in ("models", "seeds", "snapshots")
        for path in PROJECT_DIR.glob(f"{name}/**/*.yml")
    ]
    used = {
        name
        for path in files
        for name in kinds_used(yaml.safe_load(path.read_text(encoding="utf-8")))
    }
    return own | used | {"unit_test"}


def test_each_data_test_is_on_one_page() -> None:
    listed = [
        name
        for page in PAGES
        if page.parent == TEST_PAGES
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("- `")
        for name in re.findall(r"`(\w+)`", line.partition(":")[0])
    ]
    assert sorted(listed) == sorted(data_tests())


def test_each_singular_test_says_what_a_failure_means() -> None:
    folder = PROJECT_DIR / "tests" / "data"
    described = yaml.safe_load((folder / "_tests.yml").read_text(encoding="utf-8"))["data_tests"]
    # dbt warns of the description of a test that is disabled on one engine.
    on_both = {
        path.stem for path in folder.glob("*.sql") if "enabled=target.type" not in path.read_text()
    }
    assert {test["name"] for test in described} == on_both


def test_what_looks_for_known_defects_exists() -> None:
    index = (TEST_PAGES / "README.md").read_text(encoding="utf-8")
    defects = index.partition("| defect |")[2].splitlines()[2:]
    functions = {
        name
        for path in PROJECT_DIR.glob("tests/**/test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(defects) == 14
    for defect in defects:
        named = re.findall(r"`(\w+)`", defect)
        assert named
        assert set(named) <= functions | data_tests(), defect
