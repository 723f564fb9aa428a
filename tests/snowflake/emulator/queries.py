"""Queries: SELECT, set operations, VALUES."""

from __future__ import annotations

from sqlglot import exp

from emulator import answers, errors, execution, translation
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import Statement


def handle(statement: Statement, session: Session) -> Answer | None:
    if not statement.words and not statement.body.startswith("("):
        return None
    first = statement.words[0] if statement.words else "("
    if first not in ("SELECT", "WITH", "VALUES") and not statement.body.startswith("("):
        return None
    tree = statement.tree
    if not isinstance(tree, exp.Query):
        return None
    if scanned := _result_scan(tree, session):
        return scanned
    require_warehouse(tree, session)
    sql = translation.to_duckdb(tree, session)
    if statement.describe_only:
        sql = f"select * from ({sql}) limit 0"
    return execution.fetch(session, sql)


def require_warehouse(tree: exp.Expression, session: Session) -> None:
    """A query of a table needs a warehouse, where the account knows which there are.

    https://docs.snowflake.com/en/user-guide/warehouses-overview
    """
    known = session.account.warehouses
    if known is not None and session.warehouse not in known and tree.find(exp.Table):
        raise errors.SnowflakeError(
            "No active warehouse selected in the current session.  "
            "Select an active warehouse with the 'use warehouse' command.\n",
            606,
            "57P03",
        )


def _result_scan(tree: exp.Query, session: Session) -> Answer | None:
    """`table(result_scan('id'))` is put in place of the rows that it stands for.

    https://docs.snowflake.com/en/sql-reference/functions/result_scan
    """
    for node in list(tree.find_all(exp.TableFromRows)):
        call = node.this
        if not (isinstance(call, exp.Anonymous) and call.name.upper() == "RESULT_SCAN"):
            continue
        query_id = call.expressions[0].name if call.expressions else ""
        if not isinstance(call.expressions[0], exp.Literal):
            query_id = next(reversed(session.results), "")
        kept = session.results.get(query_id)
        if kept is None:
            raise errors.SnowflakeError(f"Statement {query_id} not found", 709, "02000")
        name = f"RESULT_{query_id.replace('-', '_').upper()}"
        named = kept.table.rename_columns([column.name for column in kept.columns])
        session.duck.register("emulator_result", named)
        session.duck.execute(
            f'create or replace temp table "{name}" as select * from emulator_result'
        )
        session.duck.unregister("emulator_result")
        table = exp.table_(name, db="main", catalog="temp", quoted=True)
        table.set("alias", node.args.get("alias"))
        node.replace(table)
    return None


def describe(session: Session, sql: str) -> list[answers.Column]:
    """The columns that a query would give."""
    statement = Statement(sql)
    translated = translation.to_duckdb(statement.tree, session)
    return execution.fetch(session, f"select * from ({translated}) limit 0").columns
