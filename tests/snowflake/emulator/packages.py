"""Which packages a Python body may import.

Snowflake installs what PACKAGES names, from its own channel, with what they depend on; a name or
version that the channel lacks is refused when the function is made
(https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-packages). Without PACKAGES
there is the standard library and `_snowflake`
(https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-introduction).

packages.json holds what the channel is known to have. What runs is what is installed here; a
version is checked against the list only.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import platform
import re
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from emulator import errors

LIST = Path(__file__).with_name("packages.json")
# The same library under another name here: without its GPU parts it is 700 MB smaller.
_LOCAL_NAMES = {"xgboost": "xgboost-cpu"}


def check(declared: list[str], listed: Path | None) -> list[str]:
    """The names of declared packages.

    Raises:
        SnowflakeError: a package or version that the channel does not have.

    """
    known = _known(listed)
    names, missing = [], []
    for text in declared:
        try:
            requirement = Requirement(re.sub(r"(?<![=<>!~])=(?!=)", "==", text))
        except InvalidRequirement:
            missing.append(text)
            continue
        name = canonicalize_name(requirement.name)
        versions = known.get(name)
        if versions is None or (
            versions and not any(requirement.specifier.contains(v) for v in versions)
        ):
            missing.append(text)
        names.append(name)
    if missing:
        raise errors.SnowflakeError(
            "SQL compilation error: Cannot create a Python function with the specified packages. "
            "Please check your packages specification and try again. "
            f"'Packages not found: {', '.join(missing)}'.",
            391546,
            "42601",
        )
    return names


def _known(listed: Path | None) -> dict[str, list[Version]]:
    content = json.loads((listed or LIST).read_text(encoding="utf-8"))
    return {
        canonicalize_name(name): sorted(Version(version) for version in versions)
        for name, versions in content.get("packages", content).items()
    }


def resolve(declared: list[str], listed: Path | None) -> list[str]:
    """Packages and all they depend on, as `name==version`.

    A version is the newest that packages.json lists, or the one installed here.
    https://docs.snowflake.com/en/sql-reference/functions/system_resolve_python_packages
    """
    known = _known(listed)
    found = [f"python=={platform.python_version()}"]
    for name in _with_needs(check(declared, listed)):
        if versions := known.get(name):
            found.append(f"{name}=={versions[-1]}")
        else:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                installed = importlib.metadata.version(_LOCAL_NAMES.get(name, name))
                found.append(f"{name}=={installed}")
    return sorted(found)


def modules_of(names: list[str]) -> list[str]:
    """What may be imported: the modules of these packages and of all they depend on."""
    found: set[str] = set()
    for name in _with_needs(names):
        found.update(_distribution(_LOCAL_NAMES.get(name, name))[0])
    return sorted(found)


def _with_needs(names: list[str]) -> list[str]:
    pending, seen = list(names), set()
    while pending:
        name = canonicalize_name(pending.pop())
        if name not in seen:
            seen.add(name)
            pending += _distribution(_LOCAL_NAMES.get(name, name))[1]
    return sorted(seen)


@functools.cache
def _distribution(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The top-level modules of an installed distribution, and what it needs."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return (), ()
    modules = set()
    for file in distribution.files or []:
        parts = file.parts
        if parts[0].endswith((".dist-info", ".data")) or parts[0].startswith(("..", "__pycache__")):
            continue
        if parts[0] == "snowflake":
            # A namespace that several distributions share.
            if len(parts) > 1 and parts[1] != "__pycache__":
                modules.add(f"snowflake.{parts[1].split('.')[0]}")
        elif len(parts) > 1 or parts[0].endswith((".py", ".so")):
            modules.add(parts[0].split(".")[0])
    needs = []
    for text in distribution.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needs.append(requirement.name)
    return tuple(modules), tuple(needs)
