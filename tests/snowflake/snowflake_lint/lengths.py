"""Texts that do not fit: DuckDB ignores the length of a VARCHAR, Snowflake refuses what is longer.

https://docs.snowflake.com/en/sql-reference/data-types-text
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.errors import SqlglotError

from .problem import Problem
from .reference import TEXT_PAGE
from .relations import Relation, Relations
from .statement import Statement


def longest(node: exp.Expr | None, *, of_type: bool = False) -> int | None:
    """Length of the longest text that an expression can give; None where it has no bound.

    Declared lengths and literals count; what is in the rows does not. With `of_type`, the length of
    its type: that of `cast('a' as varchar)` has no bound, though the text has one letter.
    """

    def widest(nodes: list[exp.Expr | None]) -> int | None:
        known = [longest(part, of_type=of_type) for part in nodes]
        return None if None in known else max(length for length in known if length is not None)

    if node is None or isinstance(node, exp.Null):
        return 0
    if isinstance(node, (exp.Alias, exp.Paren, exp.Upper, exp.Lower, exp.Trim)):
        return longest(node.this, of_type=of_type)
    if isinstance(node, exp.Literal):
        return len(node.name) if node.is_string else None
    if isinstance(node, exp.Case):
        return widest([*(part.args["true"] for part in node.args["ifs"]), node.args.get("default")])
    if isinstance(node, exp.Coalesce):
        return widest([node.this, *node.expressions])
    if isinstance(node, exp.DPipe):
        sides = [longest(part, of_type=of_type) for part in (node.this, node.expression)]
        return None if None in sides else sum(length for length in sides if length is not None)
    if isinstance(node, (exp.Cast, exp.TryCast)):
        if not node.to.is_type(*exp.DataType.TEXT_TYPES):
            return None
        bounds = [declared_length(node.to), None if of_type else longest(node.this)]
        return min((length for length in bounds if length is not None), default=None)
    return declared_length(node.type) if isinstance(node, exp.Column) else None


def declared_length(kind: exp.DataType | None) -> int | None:
    """The n of varchar(n); None for a type without a length."""
    if kind is None or not kind.is_type(*exp.DataType.TEXT_TYPES) or not kind.expressions:
        return None
    size = kind.expressions[0].this
    return int(size.name) if isinstance(size, exp.Literal) and not size.is_string else None


def check_lengths(statement: Statement, relations: Relations) -> Iterator[Problem]:
    """Literals and declared lengths that are longer than the VARCHAR that they go into."""
    for place, tree in enumerate(statement.trees):
        for cast in tree.find_all(exp.Cast, exp.TryCast):
            limit, length = declared_length(cast.to), longest(cast.this)
            is_literal = isinstance(cast.this, exp.Literal)
            if is_literal and limit is not None and length is not None and length > limit:
                what = f"varchar({limit})"
                yield _too_long(statement, cast, "the literal", length, what, limit)
        for names, limits in _targets(tree, relations):
            rows = [query.selects for query in statement.resolved.get(place, [])]
            for row in rows or _values(tree):
                for name, column in zip(names, row, strict=False):
                    limit, length = limits.get(name), longest(column)
                    if limit is not None and length is not None and length > limit:
                        yield _too_long(
                            statement,
                            column,
                            f"a value of {name}",
                            length,
                            f"the column {name}",
                            limit,
                        )


def _too_long(
    statement: Statement, node: exp.Expr, what: str, length: int, target: str, limit: int
) -> Problem:
    return statement.problem(
        "length",
        statement.line_of(node),
        f"{what} can have {length} characters, {target} holds {limit}",
        TEXT_PAGE,
    )


def _targets(
    tree: exp.Expr, relations: Relations
) -> Iterator[tuple[list[str], dict[str, int | None]]]:
    """The columns that a statement fills, in order, with the declared length of each."""
    if isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema) and tree.expression:
        definitions = [part for part in tree.this.expressions if isinstance(part, exp.ColumnDef)]
        yield (
            [part.name.upper() for part in definitions],
            {part.name.upper(): declared_length(part.args.get("kind")) for part in definitions},
        )
    if isinstance(tree, exp.Insert):
        table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        relation = relations.find(table) if isinstance(table, exp.Table) else None
        if relation is None:
            return
        names = (
            [part.name.upper() for part in tree.this.expressions]
            if isinstance(tree.this, exp.Schema)
            else list(relation.columns)
        )
        yield names, {name: _length(text) for name, text in relation.columns.items()}


def _length(text: str) -> int | None:
    try:
        return declared_length(exp.DataType.build(text, dialect="snowflake"))
    except SqlglotError:
        return None


def _values(tree: exp.Expr) -> list[list[exp.Expr]]:
    values = tree.args.get("expression")
    if not isinstance(values, exp.Values):
        return []
    return [row.expressions for row in values.expressions if isinstance(row, exp.Tuple)]


def columns_made(resolved: exp.Query) -> Relation:
    """The columns that a query gives, with their types."""
    columns = {}
    for column in resolved.selects:
        kind = column.type.sql("snowflake") if column.type else "VARIANT"
        length = longest(column, of_type=True)
        columns[column.alias_or_name] = f"VARCHAR({length})" if length else kind
    return Relation(columns)
