"""Which page a failing test of dbt is sent to."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from customer_insights.pages import page_of

SINGULAR = SimpleNamespace(resource_type="test", name="assert_a")
GENERIC = SimpleNamespace(
    resource_type="test", name="unique_t_id", test_metadata=SimpleNamespace(name="unique")
)
UNIT = SimpleNamespace(resource_type="unit_test", name="an_example")
UNKNOWN = SimpleNamespace(resource_type="test", name="assert_b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "README.md").write_text("| [one](one.md) | `assert_a` |\n")
    (tmp_path / "one.md").write_text("# one\n\n- `assert_a`: is, unlike `assert_b`.\n")
    (tmp_path / "two.md").write_text("- `accepted`, `unique`: keys.\n- `unit_test`: examples.\n")
    return tmp_path


@pytest.mark.parametrize(
    ("test", "page"), [(SINGULAR, "one.md"), (GENERIC, "two.md"), (UNIT, "two.md"), (UNKNOWN, None)]
)
def test_a_test_has_the_page_that_lists_its_name_or_kind(
    folder: Path, test: SimpleNamespace, page: str | None
) -> None:
    assert page_of(test, folder) == (folder / page if page else None)


def test_where_there_are_no_pages_there_is_none(tmp_path: Path) -> None:
    assert page_of(SINGULAR, tmp_path / "absent") is None
