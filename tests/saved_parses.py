"""What dbt keeps of a parse, handed on from folder to folder: parsing the project takes seconds.

dbt itself decides what it uses of it: it parses anew what changed since, also what reads a variable
of the environment that has another value, and everything where the profile, the variables or the
project file changed (`ManifestLoader.is_partial_parsable`).
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

FILE = "partial_parse.msgpack"
# Where they are kept.
_kept: Path | None = None


@pytest.fixture(scope="session", autouse=True)
def kept_parses(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One folder for the parses of all tests, also where several processes run them."""
    global _kept  # noqa: PLW0603  (one per session)
    own = tmp_path_factory.getbasetemp()
    _kept = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "parses"
    _kept.mkdir(exist_ok=True)


@contextmanager
def handed_on(
    target: Path, environment: Mapping[str, str], *parsed_with: str | Path
) -> Iterator[None]:
    """Around a call of dbt: a target folder without a parse gets one, and gives its own to others.

    It gets the parse whose environment differs in the fewest variables.

    Args:
        target: dbt's target folder.
        environment: the environment of the call.
        parsed_with: whatever else decides what a parse is: options, and files by their content.

    """
    assert _kept, "a conftest imports the fixture kept_parses"
    differs = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    others = [
        part.read_text(encoding="utf-8") if isinstance(part, Path) else part for part in parsed_with
    ]
    group = _kept / digest(others)
    group.mkdir(exist_ok=True)
    own, kept = target / FILE, group / digest(differs)
    nearest = min(group.glob("*.json"), key=lambda note: distance(differs, note), default=None)
    if nearest and not own.exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(nearest.with_suffix(".msgpack"), own)
    yield
    if own.exists() and not kept.with_suffix(".json").exists():
        # Whole or not at all, and the note last: another process may look for it now.
        written = kept.with_suffix(f".{os.getpid()}")
        shutil.copy(own, written)
        written.replace(kept.with_suffix(".msgpack"))
        written.write_text(json.dumps(differs), encoding="utf-8")
        written.replace(kept.with_suffix(".json"))


def digest(content: object) -> str:
    """The same for equal content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def distance(variables: Mapping[str, str], note: Path) -> tuple[int, str]:
    """How many variables a kept parse was made with otherwise; of equal ones, one is first."""
    kept = json.loads(note.read_text(encoding="utf-8"))
    return len(variables.items() ^ kept.items()), note.name
