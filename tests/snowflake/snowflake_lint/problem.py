"""What a lint rule finds."""

from __future__ import annotations

from dataclasses import dataclass

DOCS = "https://docs.snowflake.com/en/"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that Snowflake would refuse, or would answer differently.

    `where` names a file or a statement, `line` counts from 1 within it, `page` is the page of the
    documentation that says so.
    """

    where: str
    line: int
    rule: str
    message: str
    page: str

    def __str__(self) -> str:
        return f"{self.where}:{self.line}: {self.message} [{self.rule}; {self.page}]"


def docs(path: str) -> str:
    """Address of a page of Snowflake's documentation."""
    return DOCS + path
