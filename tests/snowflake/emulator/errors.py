"""Errors as Snowflake words and numbers them, and DuckDB's errors turned into them.

No page lists the numbers. Beside each that stands here is the page whose example shows it, or,
where no page does, what else is known of it.
"""

from __future__ import annotations

import re

import duckdb


class SnowflakeError(Exception):
    """A refusal that the client shows as `<errno> (<sqlstate>): <message>`."""

    def __init__(self, message: str, errno: int, sqlstate: str) -> None:
        super().__init__(message)
        self.message = message
        self.errno = errno
        self.sqlstate = sqlstate

    def __str__(self) -> str:
        return f"{self.errno:06d} ({self.sqlstate}): {self.message}"


def compilation(message: str, errno: int = 1003, sqlstate: str = "42000") -> SnowflakeError:
    """https://docs.snowflake.com/en/sql-reference/sql/execute-immediate-from (001003 (42000))"""
    return SnowflakeError(f"SQL compilation error:\n{message}", errno, sqlstate)


def no_such_object(kind: str, name: object) -> SnowflakeError:
    """https://docs.snowflake.com/en/release-notes/bcr-bundles/un-bundled/bcr-1858"""
    return compilation(f"{kind} '{name}' does not exist or not authorized.", 2003, "42S02")


def no_such_scope() -> SnowflakeError:
    """A schema, warehouse or role that is not there.

    On no page; dbt-snowflake takes 002043 for a database that is missing (impl.list_schemas).
    """
    return compilation("Object does not exist, or operation cannot be performed.", 2043, "02000")


def already_exists(name: object) -> SnowflakeError:
    """https://docs.snowflake.com/en/user-guide/object-clone"""
    return compilation(f"Object '{name}' already exists.", 2002, "42710")


def invalid_identifier(name: object) -> SnowflakeError:
    """https://docs.snowflake.com/en/sql-reference/functions-context"""
    return SnowflakeError(
        f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{name}'",
        904,
        "42000",
    )


def unknown_function(name: object) -> SnowflakeError:
    """On no page; 002140 (42601) stands in public transcripts of sessions."""
    return compilation(f"Unknown function {name}.", 2140, "42601")


def syntax(message: str) -> SnowflakeError:
    """https://docs.snowflake.com/en/sql-reference/sql/execute-immediate-from"""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", message)
    return compilation(f"syntax error: {plain}", 1003, "42000")


# What DuckDB says, and what Snowflake says in its place. The first pattern that is found decides.
_BY_MESSAGE: list[tuple[str, str, int, str]] = [
    # On no page; in a public transcript of COMPLETE with an unknown model.
    (r"ValueError: (Request failed.*)", "{0}", 100351, "P0000"),
    (r"ValueError: (Invalid argument.*)", "{0}", 100351, "P0000"),
    # https://docs.snowflake.com/en/sql-reference/functions/div0
    (r"Division by zero", "Division by zero", 100051, "22012"),
    # https://docs.snowflake.com/en/sql-reference/functions/to_decimal
    (
        r"Could not convert string '(.*?)' to (?:INT|BIGINT|HUGEINT|DECIMAL|DOUBLE|FLOAT)",
        "Numeric value '{0}' is not recognized",
        100038,
        "22018",
    ),
    (
        r"Could not convert string \"(.*?)\" to DECIMAL",
        "Numeric value '{0}' is not recognized",
        100038,
        "22018",
    ),
    # https://docs.snowflake.com/en/sql-reference/functions/booland_agg
    (
        r"Could not convert string '(.*?)' to BOOL",
        "Boolean value '{0}' is not recognized",
        100037,
        "22018",
    ),
    # 100040 and 100035 (22007) are on no page; both stand in public logs of dbt and of sessions.
    (r"invalid date field format: \"(.*?)\"", "Date '{0}' is not recognized", 100040, "22007"),
    (
        r"invalid timestamp field format: \"(.*?)\"",
        "Timestamp '{0}' is not recognized",
        100035,
        "22007",
    ),
    (
        r"date field value out of range: \"([^\" ]*)\"",
        "Date '{0}' is not recognized",
        100040,
        "22007",
    ),
    (
        r"timestamp field value out of range: \"(.*?)\"",
        "Timestamp '{0}' is not recognized",
        100035,
        "22007",
    ),
    # On no page; the tests of snowflakedb/snowflake-sqlalchemy have it.
    (
        r"NOT NULL constraint failed: \S*?(\w+)$",
        "NULL result in a non-nullable column",
        100072,
        "22000",
    ),
]


def from_duckdb(error: duckdb.Error, text: str = "") -> SnowflakeError:
    """The error that Snowflake would give where DuckDB gave this one.

    001044 (42P13): https://docs.snowflake.com/en/developer-guide/snowflake-scripting/cursors
    """
    message = str(error)
    for pattern, template, errno, sqlstate in _BY_MESSAGE:
        if found := re.search(pattern, message):
            return SnowflakeError(template.format(*found.groups()), errno, sqlstate)
    first = message.split("\n", maxsplit=1)[0]
    if isinstance(error, duckdb.CatalogException):
        if found := re.search(r"(?:Table|View) with name (.*?) does not exist", message):
            return no_such_object("Object", found[1])
        if found := re.search(r"(?:Function|Macro) with name \"?(.*?)\"? does not exist", message):
            return unknown_function(found[1].upper())
        if "already exists" in message:
            return compilation(first, 2002, "42710")
        return compilation(f"{first} (does not exist or not authorized)", 2003, "42S02")
    if isinstance(error, duckdb.BinderException):
        if found := re.search(r"Referenced (?:column|table) \"(.*?)\" not found", message):
            return invalid_identifier(found[1])
        if found := re.search(r"does not have a column named \"(.*?)\"", message):
            return invalid_identifier(found[1])
        if found := re.search(r"(?:Catalog|Schema) \"(.*?)\" does not exist", message):
            return no_such_scope()
        return compilation(first, 1044, "42P13")
    if isinstance(error, duckdb.ParserException):
        return syntax(first)
    if isinstance(error, duckdb.ConversionException):
        return SnowflakeError(first, 100038, "22018")
    # A number of our own, for what was not foreseen here.
    return SnowflakeError(f"{type(error).__name__}: {message}\n{text[:500]}", 300002, "XX000")
