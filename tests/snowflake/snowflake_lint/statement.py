"""A SQL text taken apart: its tokens, its trees, and the Python that a routine holds."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokens import Token, TokenType

from .problem import Problem
from .reference import COMMANDS_PAGE

# sqlglot warns when it gives up on a statement; the rule `command` says so itself.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_NAME = r"[\w$.\"]+"

# Statements that sqlglot does not take apart. Each is matched whole, so that a slip is found: this
# list is their grammar, as far as the project and dbt-snowflake use it.
COMMANDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), page)
    for pattern, page in (
        # A block whose failure is told, not raised.
        (
            rf"execute immediate \$\$ ?begin (delete from|insert into) {_NAME} .*; "
            r"exception when other then return sqlerrm; end; ?\$\$",
            "execute-immediate",
        ),
        (
            rf"alter dynamic table (if exists )?{_NAME} (refresh|suspend|resume)",
            "alter-dynamic-table",
        ),
        (
            rf"alter dynamic table (if exists )?{_NAME} set( (target_lag ?= ?'[^']+'|"
            rf"warehouse ?= ?{_NAME}|scheduler ?= ?'(enable|disable)'|"
            r"refresh_mode ?= ?(auto|full|incremental)|comment ?= ?('[^']*'|\$\$.*?\$\$)),?)+",
            "alter-dynamic-table",
        ),
        (
            rf"show (terse )?(dynamic tables|objects|schemas|tables|views|parameters|warehouses|"
            rf"grants|roles|databases|stages|primary keys|user functions|functions|procedures|"
            rf"models|versions|tags|versions in model|columns)( like '[^']*')?"
            rf"( (in|on|of|to) [\w ]*?{_NAME})?( limit \d+( from '[^']*')?)?",
            "show",
        ),
        (
            rf"alter (table|view|dynamic table) {_NAME} alter( column)? "
            rf"({_NAME} comment \$\$((?!\$\$).)*\$\$ ?,? ?)+",
            "alter-table-column",
        ),
        (rf"call {_NAME} ?\(.*\)", "call"),
        (rf"(list|ls|remove|rm) @{_NAME}[\w/.]*( pattern ?= ?'[^']*')?", "list"),
        (rf"alter (table|view|dynamic table|schema) {_NAME} rename to {_NAME}", "alter-table"),
        (rf"(grant|revoke) [\w ,]+ on [\w ]*?{_NAME} (to|from) [\w ]+", "grant-privilege"),
        (rf"alter (table|dynamic table) {_NAME} set change_tracking ?= ?true", "alter-table"),
        (
            rf"comment (if exists )?on (dynamic table|table|view|schema|column) {_NAME} is "
            r"(\$\$.*?\$\$|'.*?')",
            "comment",
        ),
        # Not of the documentation: Snowpark sends these in every session of its own accord.
        (
            rf"create scoped temporary (stage|table|view|function|file format) "
            rf"(if not exists )?{_NAME}.*",
            "create-stage",
        ),
        (rf"create model {_NAME} with version \w+ from @{_NAME}[\w/.]*", "create-model"),
        (
            rf"alter model {_NAME} (add version \w+ from @{_NAME}[\w/.]*|drop version \w+|"
            r"set (default_version|comment) ?= ?.*|(modify )?version \w+ (set|unset) .*)",
            "alter-model",
        ),
        (rf"show functions in model {_NAME} version \w+", "show-functions-in-model"),
        (rf"drop model (if exists )?{_NAME}", "drop-model"),
        (rf"drop dynamic table (if exists )?{_NAME}", "drop-dynamic-table"),
        (rf"drop procedure (if exists )?{_NAME} ?\([\w ,]*\)", "drop-procedure"),
    )
)

_ROUTINE = re.compile(
    r"^\s*(with\s+[\w.\"]+\s+as\s+procedure|create\s+(or\s+replace\s+)?(temp(orary)?\s+)?"
    r"(secure\s+)?(aggregate\s+)?(procedure|function))\b",
    re.IGNORECASE,
)
_FUNCTION = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:secure\s+)?(?:aggregate\s+)?function\s+"
    r"(?:if\s+not\s+exists\s+)?([\w.\"]+)\s*\(",
    re.IGNORECASE,
)
_IS_PYTHON = re.compile(r"\blanguage\s+python\b", re.IGNORECASE)
_RUNTIME = re.compile(r"\bruntime_version\s*=\s*'?([\d.]+)'?", re.IGNORECASE)
_HANDLER = re.compile(r"\bhandler\s*=\s*'([^']*)'", re.IGNORECASE)
_PACKAGES = re.compile(r"\bpackages\s*=\s*\(([^)]*)\)", re.IGNORECASE)
_IMPORTS = re.compile(r"\bimports\s*=\s*\(([^)]*)\)", re.IGNORECASE)
_VALUES = re.compile(
    r"\s*(/\*.*?\*/\s*)?insert\s+(overwrite\s+)?into\s+[\w.\"]+\s*(\([^)]*\)\s*)?values\b",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_SLASHES = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|\$\$.*?\$\$|--[^\n]*|/\*.*?\*/|(//)", re.DOTALL
)


@dataclass(frozen=True)
class Routine:
    """A Python procedure or function, as its statement declares it."""

    runtime: str | None
    packages: list[str]
    imports: list[str]
    handler: str
    code: str | None
    code_line: int


@dataclass
class Statement:
    """One SQL text of one or more statements, and where it comes from.

    Of rows that are inserted as literals the first hundred stand for all: dbt writes a seed so.
    """

    where: str
    text: str
    first_line: int = 1
    parse_problem: Problem | None = field(default=None, init=False)
    # By the place of a tree: its queries, with each column traced and each expression typed.
    resolved: dict[int, list[exp.Query]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Leave out what repeats."""
        self.text = first_rows(self.text)

    @cached_property
    def routine(self) -> Routine | None:
        """The Python routine that this statement makes; None for any other statement."""
        if not _ROUTINE.match(self.text):
            return None
        header, _, rest = self.text.partition("$$")
        if not _IS_PYTHON.search(header):
            return None
        code = rest.partition("$$")[0] if rest else None
        runtime, handler = _RUNTIME.search(header), _HANDLER.search(header)
        return Routine(
            runtime=runtime[1] if runtime else None,
            packages=_texts(_PACKAGES, header),
            imports=_texts(_IMPORTS, header),
            handler=handler[1] if handler else "",
            code=code,
            code_line=self.first_line + header.count("\n"),
        )

    @cached_property
    def tokens(self) -> list[Token]:
        """The tokens of Snowflake's dialect; none where the text can not be taken apart."""
        try:
            return Snowflake().tokenize(self.text)
        except SqlglotError as error:
            self.parse_problem = self._unreadable(error)
            return []

    @cached_property
    def trees(self) -> list[exp.Expr]:
        """The syntax trees, strictly parsed; none where the text is no SQL of Snowflake's."""
        if self.routine:
            return []
        try:
            parsed = sqlglot.parse(self.text, dialect="snowflake", error_level=ErrorLevel.RAISE)
        except (SqlglotError, ValueError) as error:
            if known_command(self.text):
                return []
            self.parse_problem = self._unreadable(error)
            return []
        return [tree for tree in parsed if tree is not None]

    @cached_property
    def named(self) -> frozenset[int]:
        """Offsets at which a table, alias or column is named, so that a bracket makes no call."""
        return frozenset(
            identifier.meta["start"]
            for tree in self.trees
            for identifier in tree.find_all(exp.Identifier)
            if "start" in identifier.meta and not isinstance(identifier.parent, exp.Dot)
        )

    @property
    def functions_made(self) -> list[str]:
        """Names of the functions that this text creates, upper case, as they are written."""
        return [match[1].upper().replace('"', "") for match in _FUNCTION.finditer(self.text)]

    @property
    def slash_comments(self) -> list[int]:
        """Lines with `//`, which begins a comment on Snowflake and divides on DuckDB."""
        return [
            self.line_at(match.start(1))
            for match in _SLASHES.finditer(self.text)
            if match.group(1) is not None
        ]

    def line_at(self, offset: int) -> int:
        """The line of a place in the text."""
        return self.first_line + self.text.count("\n", 0, offset)

    def line_of(self, node: exp.Expr) -> int:
        """The line of the first name in a tree; the first line where it has none."""
        for part in node.find_all(exp.Identifier):
            if "line" in part.meta:
                return self.first_line + int(part.meta["line"]) - 1
        return self.first_line

    def problem(self, rule: str, line: int, message: str, page: str) -> Problem:
        """A problem of this statement."""
        return Problem(self.where, line, rule, message, page)

    def _unreadable(self, error: Exception) -> Problem:
        details = getattr(error, "errors", None) or [{}]
        line = self.first_line + int(details[0].get("line") or 1) - 1
        words = details[0].get("description") or str(error).splitlines()[0]
        near = (details[0].get("start_context") or "")[-30:] + (details[0].get("highlight") or "")
        message = f"not parsed as Snowflake SQL: {words}" + (
            f", at `{near.strip()}`" if near else ""
        )
        return self.problem("parse", line, message, COMMANDS_PAGE)


def first_rows(text: str, rows: int = 100) -> str:
    """An `insert ... values` with at most so many rows; any other text as it is."""
    header = _VALUES.match(text)
    if not header:
        return text
    depth, found, quoted, position = 0, 0, False, header.end()
    while position < len(text):
        sign = text[position]
        if quoted and sign == "\\":
            position += 1
        elif sign == "'":
            quoted = not quoted
        elif not quoted and sign == "(":
            depth += 1
        elif not quoted and sign == ")":
            depth -= 1
            found += depth == 0
            if found == rows:
                return text[: position + 1]
        position += 1
    return text


def known_command(text: str) -> str | None:
    """The page of a statement that sqlglot does not take apart, where it is on the list."""
    text = " ".join(_COMMENT.sub(" ", text).strip().rstrip(";").split())
    for pattern, page in COMMANDS:
        if pattern.fullmatch(text):
            return page
    return None


def is_word(token: Token) -> bool:
    """Whether a token is a bare word: no number, text, sign or quoted name."""
    return bool(re.fullmatch(r"[A-Za-z_][\w$]*", token.text)) and token.token_type not in (
        TokenType.STRING,
        TokenType.IDENTIFIER,
        TokenType.RAW_STRING,
        TokenType.HEREDOC_STRING,
    )


def _texts(clause: re.Pattern[str], header: str) -> list[str]:
    found = clause.search(header)
    return [match.replace("''", "'") for match in _TEXT.findall(found[1])] if found else []
