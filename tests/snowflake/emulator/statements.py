"""One statement as it was received: its text, its first words, its syntax tree."""

from __future__ import annotations

import functools
import logging
import re
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from emulator import answers, errors

# sqlglot warns of each statement that it cannot parse; they are answered from their text.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_SKIPPED = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/)+", re.S)
_WORD = re.compile(r"[A-Za-z_][\w$]*")
NAME_PART = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
NAME = rf"{NAME_PART}(?:\s*\.\s*{NAME_PART})*"


class ObjectName(NamedTuple):
    """A full name, each part as Snowflake stores it: upper case unless it was quoted."""

    database: str
    schema: str
    name: str

    @property
    def sql(self) -> str:
        return ".".join('"' + part.replace('"', '""') + '"' for part in self)

    def __str__(self) -> str:
        return ".".join(self)


# What may hold a question mark or the start of a comment without meaning one.
_TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"]|"")*" | \$\$.*?\$\$
    | (?P<comment>--[^\n]* | /\*.*?\*/) | \?""",
    re.X | re.S,
)
# https://docs.snowflake.com/en/sql-reference/identifier-literal
_IDENTIFIER = re.compile(r"\bidentifier\s*\(\s*'((?:[^'])*)'\s*\)", re.I)
# Snowpark's word for a temporary object of a procedure's call.
_SCOPED = re.compile(r"^(create\s+(?:or\s+replace\s+)?)scoped\s+(?=temp)", re.I)


def plain(text: str, bindings: list[object]) -> str:
    """The text without comments, with values in place of question marks."""
    values = iter(bindings)

    def replaced(found: re.Match[str]) -> str:
        if found["comment"]:
            return " "
        if found[0] == "?" and bindings:
            try:
                return answers.literal(next(values))
            except StopIteration:
                raise errors.SnowflakeError("Bind variable ? not set.", 2049, "42601") from None
        return found[0]

    return re.sub(r"^\s+|[\s;]+$", "", _TOKEN.sub(replaced, text))


def split_name(text: str) -> list[str]:
    """The parts of a dotted name, unquoted parts in upper case.

    https://docs.snowflake.com/en/sql-reference/identifiers-syntax
    """
    parts = re.findall(NAME_PART, text)
    return [
        part[1:-1].replace('""', '"') if part.startswith('"') else part.upper() for part in parts
    ]


class Statement:
    """A statement. `body` has no comments, and values for `?`; `tree` is parsed when asked for."""

    def __init__(self, text: str, bindings: list[object] | None = None) -> None:
        self.text = text
        self.bindings = bindings or []
        self.describe_only = False
        body = _IDENTIFIER.sub(lambda found: found[1], plain(text, bindings or []))
        self.body = _SCOPED.sub(r"\1", body)

    @functools.cached_property
    def words(self) -> list[str]:
        """The first words, upper case, comments left out."""
        words: list[str] = []
        place = 0
        while len(words) < 8:
            if skipped := _SKIPPED.match(self.body, place):
                place = skipped.end()
            found = _WORD.match(self.body, place)
            if not found:
                break
            words.append(found[0].upper())
            place = found.end()
        return words

    def starts_with(self, *words: str) -> bool:
        return self.words[: len(words)] == list(words)

    @functools.cached_property
    def tree(self) -> exp.Expression:
        try:
            trees = [tree for tree in sqlglot.parse(self.body, read="snowflake") if tree]
        except sqlglot.errors.SqlglotError as error:
            raise errors.syntax(str(error)) from None
        if len(trees) > 1:
            # https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements
            raise errors.SnowflakeError(
                f"Actual statement count {len(trees)} did not match the desired statement count 1.",
                8,
                "0A000",
            )
        if not trees:
            raise errors.SnowflakeError("Empty SQL statement.", 900, "42601")
        return trees[0]
