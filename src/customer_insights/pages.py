"""Which page says why a test of dbt failed and what to do: those in docs/tests list their tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEST_PAGES = Path("docs/tests")


def page_of(test: Any, folder: Path = TEST_PAGES) -> Path | None:
    """The page that lists a test of dbt, None where none does.

    Args:
        test: dbt's node of a data test or unit test.
        folder: of the pages, each with its tests in lines of a list, `` - `name`: ... ``.

    """
    if test.resource_type == "unit_test":
        name = "unit_test"
    else:
        # Generic tests have a kind, singular ones have not.
        name = getattr(getattr(test, "test_metadata", None), "name", test.name)
    for page in sorted(folder.glob("*.md")):
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("- `") and f"`{name}`" in line.partition(":")[0]:
                return page
    return None
