"""Dynamic tables: they are read-only, and not every query can be one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp

from .problem import Problem, docs
from .reference import DYNAMIC_TABLE_DML_PAGE, DYNAMIC_TABLE_PAGE
from .relations import Relations
from .statement import Statement

DYNAMIC_TABLE_LIMITS_PAGE = docs("user-guide/dynamic-tables-limitations")
# Refused in every refresh mode, where the function stands in the SELECT list.
_NOT_SELECTED = (exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp)
# Only refused when INCREMENTAL is asked for. AUTO then chooses FULL by itself.
_NOT_REPEATABLE = {
    "RANDOM", "RANDSTR", "UUID_STRING", "UNIFORM", "NORMAL", "ZIPF", "SYSDATE", "CURRENT_ACCOUNT",
    "CURRENT_REGION", "CURRENT_ROLE", "CURRENT_WAREHOUSE", "SEQ1", "SEQ2", "SEQ4", "SEQ8",
}  # fmt: skip
_RANKS = (exp.Rank, exp.DenseRank, exp.PercentRank)
_REFRESH_MODE = re.compile(r"\brefresh_mode\s*=\s*(\w+)", re.IGNORECASE)


def check_dynamic_tables(statement: Statement, relations: Relations) -> Iterator[Problem]:
    """Changes of a dynamic table, and dynamic tables whose query Snowflake refuses."""
    for tree in statement.trees:
        for table, deed in _changed(tree):
            if relations.is_dynamic(table):
                yield statement.problem(
                    "dynamic_table_dml",
                    statement.line_of(table),
                    f"{deed} on the dynamic table {table.sql('snowflake')}: it is read-only",
                    DYNAMIC_TABLE_DML_PAGE,
                )
        if isinstance(tree, exp.Create) and is_dynamic_create(tree):
            mode = refresh_mode(statement.text)
            yield from check_body(statement, tree.expression, mode, relations)


def check_chains(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    """Dynamic tables that read a view over another dynamic table."""
    nodes = manifest.get("nodes") or {}

    def kind(name: str) -> str:
        return str(((nodes.get(name) or {}).get("config") or {}).get("materialized"))

    def parents(name: str) -> list[str]:
        return list(((nodes.get(name) or {}).get("depends_on") or {}).get("nodes") or [])

    def hides_one(view: str) -> bool:
        return any(
            kind(parent) == "dynamic_table" or (kind(parent) == "view" and hides_one(parent))
            for parent in parents(view)
        )

    for name in nodes:
        if kind(name) == "dynamic_table":
            for parent in parents(name):
                if kind(parent) == "view" and hides_one(parent):
                    yield Problem(
                        name,
                        1,
                        "dynamic_table_chain",
                        f"it reads the view {parent} over a dynamic table: make that one too",
                        DYNAMIC_TABLE_LIMITS_PAGE,
                    )


def refresh_mode(text: str) -> str:
    """The refresh mode that a statement asks for."""
    found = _REFRESH_MODE.search(text)
    return found[1].upper() if found else "AUTO"


def is_dynamic_create(tree: exp.Create) -> bool:
    """Whether a statement creates a dynamic table."""
    properties = tree.args.get("properties")
    return bool(properties and properties.find(exp.DynamicProperty))


def check_body(
    statement: Statement, body: exp.Expr | None, mode: str, relations: Relations
) -> Iterator[Problem]:
    """What the query of a dynamic table may not hold in this refresh mode."""
    if body is None:
        return
    query = body.unnest() if isinstance(body, exp.Subquery) else body
    for node, words in _always_refused(query):
        yield statement.problem(
            "dynamic_table",
            statement.line_of(node),
            f"a dynamic table can not be defined with {words}",
            DYNAMIC_TABLE_PAGE,
        )
    if mode.upper() != "INCREMENTAL":
        return
    for node, words in _not_incremental(query, relations):
        yield statement.problem(
            "dynamic_table",
            statement.line_of(node),
            f"refresh_mode is INCREMENTAL, which {words} makes impossible (error 002711)",
            DYNAMIC_TABLE_PAGE,
        )


def _changed(tree: exp.Expr) -> Iterator[tuple[exp.Table, str]]:
    deeds: dict[type[exp.Expr], str] = {
        exp.Insert: "insert",
        exp.Update: "update",
        exp.Delete: "delete",
        exp.Merge: "merge",
    }
    if type(tree) in deeds:
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if isinstance(target, exp.Table):
            yield target, deeds[type(tree)]
    elif isinstance(tree, exp.TruncateTable):
        for table in tree.expressions:
            if isinstance(table, exp.Table):
                yield table, "truncate"
    elif isinstance(tree, exp.Copy) and isinstance(tree.this, exp.Table):
        yield tree.this, "copy into"
    elif isinstance(tree, exp.Create) and tree.kind == "TABLE" and not is_dynamic_create(tree):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if isinstance(target, exp.Table):
            yield target, "create table"


def _always_refused(query: exp.Expr) -> Iterator[tuple[exp.Expr, str]]:
    for node in query.walk():
        if isinstance(node, exp.AnyValue):
            yield node, "any_value"
        elif isinstance(node, exp.TableSample):
            yield node, "sample"
        elif isinstance(node, exp.CurrentUser):
            yield node, "current_user"
        elif isinstance(node, _NOT_SELECTED) and not _is_filter(node):
            yield node, f"{node.sql('snowflake').lower()} outside where, having and qualify"


def _not_incremental(query: exp.Expr, relations: Relations) -> Iterator[tuple[exp.Expr, str]]:
    for node in query.walk():
        if isinstance(node, (exp.Except, exp.Intersect)):
            yield node, node.key
        elif isinstance(node, (exp.Limit, exp.Fetch)):
            yield node, "limit"
        elif isinstance(node, (exp.Rollup, exp.Cube, exp.GroupingSets)):
            yield node, f"group by {node.key}"
        elif isinstance(node, exp.With) and node.recursive:
            yield node, "with recursive"
        elif isinstance(node, exp.Pivot) and node.unpivot:
            yield node, "unpivot"
        elif isinstance(node, exp.Connect):
            yield node, "connect by"
        elif isinstance(node, exp.Exists):
            yield node, "exists (select ...)"
        elif isinstance(node, exp.In) and node.args.get("query"):
            yield node, "in (select ...)"
        elif isinstance(node, exp.Subquery) and _is_scalar(node):
            yield node, "a subquery outside from"
        elif isinstance(node, exp.Lateral) and not node.find(exp.Explode, exp.Unnest):
            yield node, "a lateral join other than flatten"
        elif isinstance(node, exp.Join) and node.side and not _is_equal_join(node):
            yield node, f"a {node.side.lower()} join on more than equal columns"
        elif isinstance(node, exp.Window) and isinstance(node.this, _RANKS):
            if _is_sliding(node.args.get("spec")):
                yield node, "a rank over a sliding frame"
        elif isinstance(node, exp.Func) and _called(node) in _NOT_REPEATABLE:
            yield node, _called(node).lower()
        elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            upstream = relations.find(node)
            if upstream and upstream.kind == "dynamic_table" and upstream.refresh_mode == "FULL":
                yield node, f"the dynamic table {node.name}, which is refreshed in full,"


def _called(node: exp.Func) -> str:
    """The name under which Snowflake calls a function, upper case."""
    return node.sql("snowflake").partition("(")[0].upper()


def _is_filter(node: exp.Expr) -> bool:
    return node.find_ancestor(exp.Where, exp.Having, exp.Qualify) is not None


def _is_scalar(node: exp.Subquery) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    # What stands in IN or EXISTS is named as such.
    is_source = isinstance(
        parent,
        (
            exp.From,
            exp.Join,
            exp.Subquery,
            exp.SetOperation,
            exp.CTE,
            exp.Create,
            exp.Lateral,
            exp.In,
            exp.Exists,
        ),
    )
    return parent is not None and not is_source and isinstance(node.this, exp.Query)


def _is_equal_join(join: exp.Join) -> bool:
    condition = join.args.get("on")
    if condition is None:
        return True
    parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
    return all(isinstance(part.unnest(), (exp.EQ, exp.NullSafeEQ)) for part in parts)


def _is_sliding(spec: exp.Expr | None) -> bool:
    if spec is None:
        return False
    bounds = {str(spec.args.get("start")).upper(), str(spec.args.get("end")).upper()}
    return not bounds <= {"UNBOUNDED", "CURRENT ROW", "NONE"}
