"""Read what cards are made of, and write them as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from customer_insights.cards.card import cards
from customer_insights.cards.facts import SOURCES
from customer_insights.cards.site import index_page, site_page
from customer_insights.library import BUILD_FOLDER

# dbt_project.yml names it: the documentation site takes pages and pictures from there.
CARDS_FOLDER = BUILD_FOLDER / "model_cards"
WRITTEN = ("*.md", "*.svg")


class Warehouse(Protocol):
    """Where the tables are."""

    def is_built(self, name: str) -> bool:
        """Whether a model's table is there."""

    def read(self, name: str) -> list[dict[str, Any]]:
        """All rows of a model's table, columns in lower case."""


def write_cards(warehouse: Warehouse, folder: Path) -> list[str]:
    """Write the card of each champion, in place of those that were there; the models' names.

    Raises:
        CustomerInsightsError: a table can not be read, or a model's name can not name a file.

    """
    tables = {name: warehouse.read(name) for name in SOURCES if warehouse.is_built(name)}
    written = cards(tables)
    for pattern in WRITTEN:
        for old in folder.glob(pattern):
            old.unlink()
    if written:
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "README.md": index_page(written, "{}.md"),
            "_site.md": site_page(written, folder.as_posix()),
        }
        for card in written:
            files |= {f"{card.model_name}.md": card.markdown, **card.pictures}
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    return [card.model_name for card in written]
