"""Run DuckDB's SQL in a session, and say what went wrong as Snowflake would."""

from __future__ import annotations

import re
from typing import Any

import duckdb

from emulator import errors, information_schema
from emulator.answers import SELECT, Answer, Column
from emulator.session import Session


def execute(session: Session, sql: str) -> duckdb.DuckDBPyConnection:
    try:
        return session.duck.execute(sql)
    except duckdb.Error as error:
        if failed := session.account.take_failure():
            raise failed from None
        if session.in_transaction and "transaction is aborted" in str(error):
            session.rollback()
        raise errors.from_duckdb(error, sql) from None


def rows_of(session: Session, sql: str) -> list[tuple[Any, ...]]:
    return execute(session, sql).fetchall()


_NESTED = re.compile(r"\[|list|array|struct|map|keys", re.I)


def flat(session: Session, sql: str) -> str:
    """The same query, DuckDB's lists and structs as JSON: Snowflake's ARRAY, OBJECT and VARIANT."""
    if not _NESTED.search(sql):
        return sql
    try:
        described = session.duck.execute(f"describe {sql}").fetchall()
    except duckdb.Error:
        return sql
    nested = [
        name.replace('"', '""')
        for name, type_, *_ in described
        if re.search(r"\[\]$|^STRUCT|^MAP", type_)
    ]
    if not nested:
        return sql
    changed = ", ".join(f'to_json("{name}") as "{name}"' for name in nested)
    return f"select * replace ({changed}) from ({sql})"


def fetch(session: Session, sql: str) -> Answer:
    """The rows of a query, with Snowflake's types."""
    sql = flat(session, sql)
    if information_schema.ASKS_FOR_COUNTS.match(sql):
        tables = rows_of(session, information_schema.LIST_TABLES)
        execute(session, information_schema.counting_sql(tables))
    result = execute(session, sql)
    columns = [Column.of_duckdb(name, str(type_)) for name, type_, *_ in result.description or []]
    try:
        table = result.to_arrow_table()
    except duckdb.Error as error:
        raise session.account.take_failure() or errors.from_duckdb(error, sql) from None
    names = [str(place) for place in range(table.num_columns)]
    return Answer(columns, table.rename_columns(names), SELECT)


def touch(session: Session, sql: str) -> int:
    """Run a DML statement and count the rows that it touched."""
    rows = rows_of(session, sql)
    return int(rows[0][0]) if rows else 0
