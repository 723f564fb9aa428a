"""The library as one zip, for engines that import it from a stage.

`python -m customer_insights.library build` writes the zip into `build/` and prints its path;
`python -m customer_insights.library name` writes its name into dbt_project.yml.

The same sources give the same bytes on every machine: files in the order of their names, one fixed
time, nothing compressed (compressors differ between versions). The name holds the md5 of the bytes,
which is what a stage lists of a file, so that a build can tell that it imports this very version.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from customer_insights.errors import CustomerInsightsError

PACKAGE = Path(__file__).resolve().parent
PROJECT_FILE = Path("dbt_project.yml")
BUILD_FOLDER = Path("build")
# What a person runs on a laptop; a warehouse has no use for it.
LEFT_OUT = (
    "__main__.py",
    "cards",
    "command_line.py",
    "comparison.py",
    "dbt_calls.py",
    "known_messages.py",
    "library.py",
    "packages.py",
    "progress.py",
    "sample",
    "verification.py",
)
# Pure Python that Snowflake's channel does not have, with the folder of its data.
CARRIED = ("py3langid",)
CARRIED_SUFFIXES = (".py", ".xz")
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
NAME_IN_PROJECT = re.compile(r"customer_insights_[0-9a-f]{32}\.zip")


def zip_bytes() -> bytes:
    """The zip of the library."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(PACKAGE.rglob("*.py")):
            place = path.relative_to(PACKAGE)
            if place.parts[0] not in LEFT_OUT:
                _add(archive, path, f"{PACKAGE.name}/{place.as_posix()}")
        for name in CARRIED:
            folder = _folder_of(name)
            for path in sorted(folder.rglob("*")):
                if path.suffix in CARRIED_SUFFIXES:
                    _add(archive, path, f"{name}/{path.relative_to(folder).as_posix()}")
    return written.getvalue()


def _add(archive: zipfile.ZipFile, path: Path, place: str) -> None:
    entry = zipfile.ZipInfo(place, FIXED_TIME)
    entry.create_system = 3  # the byte that says where a zip was made
    archive.writestr(entry, path.read_bytes())


def _folder_of(package: str) -> Path:
    """Where a package that travels along is installed."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise CustomerInsightsError(
            f"{package} is not installed, and the library's zip carries it; run "
            "`pip install -c constraints.txt -e .`."
        )
    return Path(spec.origin).parent


def zip_name() -> str:
    """The name of the zip: the package's and the md5 of its bytes."""
    # Not for security: it is the hash that stages list.
    digest = hashlib.md5(zip_bytes(), usedforsecurity=False).hexdigest()
    return f"{PACKAGE.name}_{digest}.zip"


def build_zip(folder: Path) -> Path:
    """Write the zip into a folder; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / zip_name()
    path.write_bytes(zip_bytes())
    return path


def name_in_project(project_file: Path = PROJECT_FILE) -> None:
    """Write the name of the zip into the project file.

    Raises:
        CustomerInsightsError: the file names no zip.

    """
    text = project_file.read_text(encoding="utf-8")
    named, count = NAME_IN_PROJECT.subn(zip_name(), text)
    if count == 0:
        raise CustomerInsightsError(
            f"{project_file} names no customer_insights_<md5>.zip under +imports; add it."
        )
    if named != text:
        project_file.write_text(named, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(prog="python -m customer_insights.library")
    parser.add_argument("command", choices=["build", "name"])
    command = parser.parse_args(arguments).command
    try:
        if command == "name":
            name_in_project()
        else:
            print(build_zip(BUILD_FOLDER))
    except CustomerInsightsError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
