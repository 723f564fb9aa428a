"""Types of columns in words that both engines share, as narrow as both can say them.

Snowflake stores every whole number as NUMBER(38,0), whatever it was declared as, so it can not tell
an INTEGER from a BIGINT: https://docs.snowflake.com/en/sql-reference/data-types-numeric
"""

from pathlib import Path

import duckdb
from emulator.client import Emulator

# A type that is in no list is one that a public table is not to have: HUGEINT, which a sum of whole
# numbers has on DuckDB, FLOAT, which is single there, a time with a zone, a list.
ON_DUCKDB = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "time without a zone",
    "DOUBLE": "double",
    "INTEGER": "number(38,0)",
    "BIGINT": "number(38,0)",
    "BLOB": "binary",
}
ON_SNOWFLAKE = {
    "TEXT": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP_NTZ": "time without a zone",
    "FLOAT": "double",
    "BINARY": "binary",
}
# Names in lower case and kinds, in the order of the columns.
Columns = list[tuple[str, str]]


def kind_on_duckdb(data_type: str) -> str:
    """The kind of a type that DuckDB's information schema names; DECIMAL(18,2) is number(18,2)."""
    if data_type.startswith("DECIMAL("):
        return data_type.replace("DECIMAL", "number")
    return ON_DUCKDB[data_type]


def kind_on_snowflake(data_type: str, precision: int | None, scale: int | None) -> str:
    """The kind of a type that Snowflake's names, a number's digits in columns of their own."""
    return f"number({precision},{scale})" if data_type == "NUMBER" else ON_SNOWFLAKE[data_type]


def columns_on_duckdb(database: Path, schema: str) -> dict[str, Columns]:
    """The columns of each table and view of a schema."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns "
            "where table_schema = ? order by table_name, ordinal_position",
            [schema],
        ).fetchall()
    found: dict[str, Columns] = {}
    for table, name, data_type in rows:
        found.setdefault(table, []).append((name, kind_on_duckdb(data_type)))
    return found


def columns_on_snowflake(emulator: Emulator, schema: str) -> dict[str, Columns]:
    """The same of `database.schema`. A name in lower case was quoted: none is."""
    database, _, name_of_schema = schema.partition(".")
    found: dict[str, Columns] = {}
    for table, name, *data_type in emulator.query(
        "select table_name, column_name, data_type, numeric_precision, numeric_scale "
        f"from {database}.information_schema.columns "
        f"where table_schema = '{name_of_schema.upper()}' order by table_name, ordinal_position"
    ):
        assert name == name.upper(), f"{table}.{name}"
        found.setdefault(table.lower(), []).append((name.lower(), kind_on_snowflake(*data_type)))
    return found
