"""Rules that read the syntax tree: constructs that parse, and that Snowflake does not have."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from .problem import Problem, docs
from .reference import (
    ARITHMETIC_PAGE,
    COMMANDS_PAGE,
    IDENTIFIERS_PAGE,
    RESERVED_PAGE,
    reserved_words,
)
from .statement import Statement, known_command

JOIN_PAGE = docs("sql-reference/constructs/join")

# Nodes that sqlglot's parser makes in any dialect, with what to write instead.
FOREIGN_NODES: dict[type[exp.Expr], tuple[str, str]] = {
    exp.Filter: (
        "an aggregate has no `filter (where ...)`: aggregate a case expression",
        docs("sql-reference/functions-aggregation"),
    ),
    exp.Comprehension: (
        "there is no list comprehension: use the functions transform or filter",
        docs("sql-reference/functions-semistructured"),
    ),
    exp.Slice: (
        "an array has no slices: use array_slice",
        docs("sql-reference/functions/array_slice"),
    ),
    exp.SimilarTo: (
        "there is no `similar to`: use regexp_like",
        docs("sql-reference/functions/regexp_like"),
    ),
    exp.Attach: ("there is no `attach`", COMMANDS_PAGE),
    exp.Pragma: ("there is no `pragma`", COMMANDS_PAGE),
    exp.Summarize: ("there is no `summarize`", COMMANDS_PAGE),
}

# Their pages give ORDER BY in the window as a part that can not be left out.
ORDERED_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
    exp.PercentRank: "percent_rank",
    exp.CumeDist: "cume_dist",
    exp.Ntile: "ntile",
    exp.Lag: "lag",
    exp.Lead: "lead",
    exp.FirstValue: "first_value",
    exp.LastValue: "last_value",
    exp.NthValue: "nth_value",
}


# What stands by itself. Anything else is a word that the parser took for a column.
STATEMENTS = (
    exp.Query, exp.DDL, exp.Command, exp.Alter, exp.Comment, exp.Commit, exp.Copy, exp.Delete,
    exp.Describe, exp.Drop, exp.Get, exp.Grant, exp.Insert, exp.Merge, exp.Put, exp.Revoke,
    exp.Rollback, exp.Set, exp.Show, exp.Transaction, exp.TruncateTable, exp.Update, exp.Use,
    exp.Values,
)  # fmt: skip


def check_trees(statement: Statement) -> Iterator[Problem]:
    """Constructs of other engines, reserved words, quoted lower-case columns."""
    for tree in statement.trees:
        if not isinstance(tree, STATEMENTS) and known_command(statement.text) is None:
            text = " ".join(statement.text.split())[:80]
            yield statement.problem(
                "command", statement.first_line, f"no statement: `{text}`", COMMANDS_PAGE
            )
        for command in tree.find_all(exp.Command):
            if known_command(command.sql(dialect="snowflake")) is None:
                text = " ".join(command.sql(dialect="snowflake").split())[:80]
                yield statement.problem(
                    "command",
                    statement.first_line,
                    f"no statement that this lint knows: `{text}`",
                    COMMANDS_PAGE,
                )
        yield from _check_nodes(statement, tree)
        yield from _check_reserved(statement, tree)
        yield from _check_quoted(statement, tree)


def _check_nodes(statement: Statement, tree: exp.Expr) -> Iterator[Problem]:
    for node in tree.walk():
        found = FOREIGN_NODES.get(type(node))
        # `column:path` is read as a slice of nothing in brackets only.
        if found:
            yield statement.problem("construct", statement.line_of(node), *found)
        elif isinstance(node, exp.Join) and (node.kind in ("SEMI", "ANTI", "POSITIONAL")):
            yield statement.problem(
                "construct",
                statement.line_of(node),
                f"there is no {node.kind.lower()} join: use where exists or where not exists",
                JOIN_PAGE,
            )
        elif isinstance(node, exp.Join) and node.side in ("SEMI", "ANTI"):
            yield statement.problem(
                "construct",
                statement.line_of(node),
                f"there is no {node.side.lower()} join: use where exists or where not exists",
                JOIN_PAGE,
            )
        elif isinstance(node, exp.Window) and not node.args.get("order"):
            called = node.this
            if isinstance(called, (exp.IgnoreNulls, exp.RespectNulls)):
                called = called.this
            name = ORDERED_FUNCTIONS.get(type(called))
            if name:
                yield statement.problem(
                    "window",
                    statement.line_of(node),
                    f"{name} needs an order by in its window",
                    docs(f"sql-reference/functions/{name}"),
                )
        elif isinstance(node, exp.Coalesce) and not node.expressions:
            yield statement.problem(
                "construct",
                statement.line_of(node),
                "coalesce needs two arguments",
                docs("sql-reference/functions/coalesce"),
            )


def _check_reserved(statement: Statement, tree: exp.Expr) -> Iterator[Problem]:
    for identifier in tree.find_all(exp.Identifier):
        if identifier.args.get("quoted"):
            continue
        limit = reserved_words().get(identifier.name.upper())
        if limit is None or not _is_limited(identifier, limit):
            continue
        yield statement.problem(
            "reserved",
            statement.line_of(identifier),
            f"`{identifier.name}` is a reserved word and may not be a {limit} here",
            RESERVED_PAGE,
        )


def _is_limited(identifier: exp.Identifier, limit: str) -> bool:
    parent = identifier.parent
    if limit == "identifier":
        # `select set(...)` and the like never get here: those are no identifiers.
        return isinstance(parent, (exp.Column, exp.Alias, exp.Table, exp.TableAlias, exp.ColumnDef))
    if limit == "table":
        return isinstance(parent, (exp.Table, exp.TableAlias))
    if limit == "column name":
        return isinstance(parent, (exp.Alias, exp.ColumnDef))
    if limit == "column definition":
        return isinstance(parent, exp.ColumnDef)
    return isinstance(parent, exp.Column)


def _check_quoted(statement: Statement, tree: exp.Expr) -> Iterator[Problem]:
    """A table or view must not get a column whose name has a lower-case letter."""
    if not isinstance(tree, exp.Create) or tree.kind not in ("TABLE", "VIEW"):
        return
    made: list[exp.Expr] = []
    if isinstance(tree.this, exp.Schema):
        made += [
            part.this if isinstance(part, exp.ColumnDef) else part for part in tree.this.expressions
        ]
    query = tree.expression
    if isinstance(query, exp.Subquery):
        query = query.unnest()
    if isinstance(query, exp.Query):
        for column in query.selects:
            part = column.args.get("alias") if isinstance(column, exp.Alias) else column.this
            if isinstance(part, exp.Identifier):
                made.append(part)
    for part in made:
        if (
            isinstance(part, exp.Identifier)
            and part.args.get("quoted")
            and part.name != part.name.upper()
        ):
            yield statement.problem(
                "quoted",
                statement.line_of(part),
                f'the column "{part.name}" is quoted in lower case: it can only be read in quotes',
                IDENTIFIERS_PAGE,
            )


def exact_denominator(node: exp.Expr) -> bool:
    """Whether dividing a whole number by this literal has at most six decimals: 2, 4, 5, 10 ..."""
    while isinstance(node, (exp.Paren, exp.Cast)):
        node = node.this
    if not isinstance(node, exp.Literal) or node.is_string:
        return False
    value = float(node.name)
    return value > 0 and value.is_integer() and 10**6 % int(value) == 0


__all__ = ["ARITHMETIC_PAGE", "check_trees", "exact_denominator"]
