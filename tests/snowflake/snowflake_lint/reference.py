"""Lists that were copied from the documentation, each with the page that it comes from.

Read on 2026-11-21. functions.csv is not complete: it has what Snowpark 1.56 calls, and of the page
of all functions those that an older copy of it lists, with some of the newer ones. Where a function
of Snowflake's is missing, add its row with its page.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from .problem import docs

FOLDER = Path(__file__).parent

FUNCTIONS_PAGE = docs("sql-reference/functions-all")
TYPES_PAGE = docs("sql-reference/intro-summary-data-types")
RESERVED_PAGE = docs("sql-reference/reserved-keywords")
SNOWPARK_PAGE = docs("developer-guide/snowpark/reference/python/latest/snowpark/functions")
OPERATORS_PAGE = docs("sql-reference/operators")
INTERVAL_PAGE = docs("sql-reference/data-types-datetime")
ARITHMETIC_PAGE = docs("sql-reference/operators-arithmetic")
ORDER_PAGE = docs("sql-reference/constructs/order-by")
QUERY_PAGE = docs("sql-reference/sql/select")
IDENTIFIERS_PAGE = docs("sql-reference/identifiers-syntax")
TEXT_PAGE = docs("sql-reference/data-types-text")
DYNAMIC_TABLE_PAGE = docs("user-guide/dynamic-tables/supported-queries")
DYNAMIC_TABLE_DML_PAGE = docs("user-guide/dynamic-tables/decision-guide")
COMMANDS_PAGE = docs("sql-reference/sql-all")

# intro-summary-data-types and data-types-text. Of a type of several words the tokens hold the
# first, or all. dbt writes `character varying(n)` in unit tests.
TYPES = {
    "CHAR VARYING", "CHARACTER VARYING", "NCHAR VARYING", "DOUBLE PRECISION",
    "NUMBER", "DECIMAL", "DEC", "NUMERIC", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT",
    "BYTEINT", "FLOAT", "FLOAT4", "FLOAT8", "DOUBLE", "REAL", "DECFLOAT",
    "VARCHAR", "CHAR", "CHARACTER", "STRING", "TEXT", "NCHAR", "NVARCHAR", "BINARY", "VARBINARY",
    "BOOLEAN", "DATE", "DATETIME", "TIME", "TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ",
    "TIMESTAMP_TZ", "TIMESTAMPLTZ", "TIMESTAMPNTZ", "TIMESTAMPTZ", "INTERVAL",
    "VARIANT", "OBJECT", "ARRAY", "MAP", "VECTOR", "FILE", "GEOGRAPHY", "GEOMETRY", "UUID",
}  # fmt: skip


@cache
def functions() -> dict[str, str]:
    """Name of each function, upper case, with the page that lists it."""
    with (FOLDER / "functions.csv").open(newline="") as file:
        return {row["name"]: row["source"] for row in csv.DictReader(file)}


@cache
def reserved_words() -> dict[str, str]:
    """Each reserved or limited word with what it may not be."""
    with (FOLDER / "reserved_words.csv").open(newline="") as file:
        return {row["name"]: row["limit"] for row in csv.DictReader(file)}


@cache
def snowpark_functions() -> frozenset[str]:
    """Public names of `snowflake.snowpark.functions`."""
    lines = (FOLDER / "snowpark_functions.txt").read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
