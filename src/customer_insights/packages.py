"""The packages that Python models run with on Snowflake, and their versions.

`make pin-snowflake` asks the account which versions it would take, and writes them under
`+packages` of dbt_project.yml: builds run with these versions until they are pinned again. What
only searches for parameters need (`make tune`) is pinned where the account has it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from customer_insights.dbt_calls import Dbt
from customer_insights.errors import CustomerInsightsError
from customer_insights.library import PACKAGE, PROJECT_FILE

CONSTRAINTS = Path("constraints.txt")
# The folder of models that are built on demand, by `make tune`.
TUNING_FOLDER = "tuning"
# The same library; the wheel without its GPU parts has another name.
LOCAL_NAMES = {"xgboost": "xgboost-cpu"}


def declared(project_file: Path = PROJECT_FILE) -> dict[str, str]:
    """The declared packages of all models by name, with the pinned version or an empty text."""
    project = yaml.safe_load(project_file.read_text(encoding="utf-8"))
    found = {}
    for entry in _packages_below(project["models"]):
        name, _, version = entry.partition("==")
        found[name] = version
    return found


def only_for_tuning(project_file: Path = PROJECT_FILE) -> list[str]:
    """The declared packages that no model needs but those that search for parameters."""
    project = yaml.safe_load(project_file.read_text(encoding="utf-8"))
    folders = project["models"][PACKAGE.name]
    built = {name: config for name, config in folders.items() if name != TUNING_FOLDER}
    needed = {entry.partition("==")[0] for entry in _packages_below(built)}
    return [name for name in declared(project_file) if name not in needed]


def _packages_below(config: Mapping[str, Any]) -> Iterator[str]:
    """What stands under `+packages`, in a folder and in those within."""
    for name, value in config.items():
        if name == "+packages":
            yield from value
        elif isinstance(value, dict):
            yield from _packages_below(value)


def python_version(project_file: Path = PROJECT_FILE) -> str:
    """The Python that models run on."""
    project = yaml.safe_load(project_file.read_text(encoding="utf-8"))
    return str(project["models"][PACKAGE.name]["+python_version"])


def pin() -> int:
    """Write the versions that the account resolves the packages to.

    Raises:
        CustomerInsightsError: the account lacks a package that a build needs, or cannot be reached.

    """
    os.environ["DBT_TARGET"] = "snowflake"
    dbt = Dbt()
    names = list(declared())
    extra = only_for_tuning()
    try:
        resolved = _resolved(dbt, names)
    except CustomerInsightsError:
        if not extra:
            raise
        # Together, so that versions fit one another; where that fails, without what may be missing.
        names = [name for name in names if name not in extra]
        resolved = _resolved(dbt, names)
    missing = [name for name in names if name not in resolved]
    if set(missing) - set(extra):
        raise CustomerInsightsError(
            f"Snowflake names no version of {', '.join(missing)}; nothing was pinned."
        )
    pinned = {name: resolved[name] for name in names if name in resolved}
    write_pins(pinned)
    print("Pinned " + ", ".join(f"{name} {version}" for name, version in pinned.items()))
    if unpinned := [name for name in extra if name not in pinned]:
        print(
            f"Snowflake names no version of {', '.join(unpinned)}, which only `make tune` needs: "
            "builds go without, and a search for parameters would be refused there."
        )
    return 0


def _resolved(dbt: Dbt, names: Sequence[str]) -> dict[str, str]:
    """The versions of packages, and of what they depend on, that the account would take.

    https://docs.snowflake.com/en/sql-reference/functions/system_resolve_python_packages

    Raises:
        CustomerInsightsError: the account lacks one, or cannot be reached.

    """
    quoted = ", ".join(f"'{name}'" for name in names)
    (row,) = dbt.query(
        f"select system$resolve_python_packages('{python_version()}', $$({quoted})$$)"
    )
    (entries,) = row.values()
    return dict(entry.split("==") for entry in json.loads(entries))


def write_pins(versions: Mapping[str, str], project_file: Path = PROJECT_FILE) -> None:
    """Write versions beside the names under `+packages`; the rest of the file stays as it is."""
    text = project_file.read_text(encoding="utf-8")
    for name, version in versions.items():
        entry = rf"(?m)^(\s+- {re.escape(name)})(==\S+)?$"
        text = re.sub(entry, rf"\g<1>=={version}", text, count=1)
    project_file.write_text(text, encoding="utf-8")


def channel_constraints(project_file: Path = PROJECT_FILE, constraints: Path = CONSTRAINTS) -> str:
    """`constraints.txt` with the versions that are pinned for Snowflake, to build alike locally."""
    pinned = {
        LOCAL_NAMES.get(name, name): version
        for name, version in declared(project_file).items()
        if version and not name.startswith("snowflake-")
    }
    # SciPy follows the NumPy that scikit-learn was built for.
    replaced = {*pinned, "scipy"} if pinned else set()
    lines = constraints.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.split("==")[0] not in replaced]
    return "\n".join([*kept, *(f"{name}=={version}" for name, version in pinned.items()), ""])


if __name__ == "__main__":
    print(channel_constraints(), end="")
