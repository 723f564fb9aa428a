"""What the README says is what the project does."""

import json
import re

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
