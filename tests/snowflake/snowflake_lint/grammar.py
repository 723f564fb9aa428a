"""A second parser: sqlfluff in the snowflake dialect, with the few of its rules that find mistakes.

sqlfluff takes about 0.1 s for a small text, and most data tests are alike but for their names. So
each shape of text is read once, and two processes share the work.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlfluff.core import FluffConfig, Linter
from sqlfluff.dialects import dialect_snowflake_keywords
from sqlglot.tokens import TokenType

from .problem import Problem, docs
from .statement import Statement

# ambiguous.distinct, ambiguous.set_columns, convention.is_null: mistakes, not style.
RULES = "AM01,AM07,CV05"
PAGE = docs("sql-reference/sql-all")
WORKERS = 2
TIME_LIMIT = 120
_NAMES = (TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER)


def check_grammar(statements: Sequence[Statement], workers: int = WORKERS) -> list[Problem]:
    """What sqlfluff says of texts: of those that differ in names only, of the first."""
    chosen: dict[str, Statement] = {}
    for statement in statements:
        if statement.routine is None:
            chosen.setdefault(shape(statement), statement)
    todo = list(chosen.values())
    found = _read_by(workers, [statement.text for statement in todo])
    return [
        statement.problem("sqlfluff", statement.first_line + line - 1, message, PAGE)
        for statement, lines in zip(todo, found, strict=True)
        for line, message in lines
    ]


def _read_by(workers: int, texts: list[str]) -> list[list[tuple[int, str]]]:
    """The violations of each text. Processes of their own: sqlfluff is pure Python."""
    if len(texts) <= workers:
        return [violations(text) for text in texts]
    shares: list[list[int]] = [[] for _ in range(workers)]
    for place in sorted(range(len(texts)), key=lambda place: -len(texts[place])):
        min(shares, key=lambda share: sum(len(texts[other]) for other in share)).append(place)
    started = []
    for share in shares:
        process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import answer; answer()"],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        process.stdin.write(json.dumps([texts[place] for place in share]))
        process.stdin.close()
        started.append(process)
    results: list[list[tuple[int, str]]] = [[] for _ in texts]
    for share, process in zip(shares, started, strict=True):
        assert process.stdout
        answer = process.stdout.read()
        if process.wait(TIME_LIMIT) != 0:
            raise RuntimeError("sqlfluff ended with an error; its words are above")
        for place, found in zip(share, json.loads(answer), strict=True):
            results[place] = [(line, message) for line, message in found]
    return results


def shape(statement: Statement) -> str:
    """What a text is apart from its names and values: equal for texts that parse alike."""
    words = []
    for token in statement.tokens:
        if token.token_type in _NAMES and token.text.upper() not in _keywords():
            words.append(token.token_type.name)
        else:
            words.append(token.text.upper())
    # A text that can not be taken apart is like no other.
    return hashlib.sha256(" ".join(words).encode()).hexdigest() if words else statement.text


def violations(text: str) -> list[tuple[int, str]]:
    """Line and words of each violation that sqlfluff finds."""
    result = _linter().lint_string(GAPS.sub("", text))
    return [(found.line_no, f"{found.rule_code()}: {found.desc()}") for found in result.violations]


# What Snowflake has and sqlfluff 4.4 does not know; it is read as if it were not there.
# https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table
GAPS = re.compile(r"\bscheduler = '(?:DISABLE|ENABLE)'")


@cache
def _linter() -> Any:
    config = FluffConfig(
        overrides={
            "dialect": "snowflake",
            "templater": "raw",
            "rules": RULES,
            "large_file_skip_byte_limit": 0,
        }
    )
    return Linter(config=config)


@cache
def _keywords() -> frozenset[str]:
    lists: Iterable[str] = (
        dialect_snowflake_keywords.snowflake_reserved_keywords,
        dialect_snowflake_keywords.snowflake_unreserved_keywords,
    )
    return frozenset(word.strip().upper() for text in lists for word in text.split())


def answer() -> None:
    """Read texts from standard input and write what sqlfluff says of each."""
    json.dump([violations(text) for text in json.load(sys.stdin)], sys.stdout)
