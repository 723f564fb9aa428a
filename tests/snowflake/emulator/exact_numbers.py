"""Division and averages of exact numbers stay exact numbers, of a limited scale.

In Snowflake NUMBER / NUMBER has max(s, min(s + 6, 12)) decimal places, where s is the dividend's
scale (https://docs.snowflake.com/en/sql-reference/operators-arithmetic), and AVG of a
NUMBER likewise (https://docs.snowflake.com/en/sql-reference/functions/avg; AVG(...) OVER (...) of a
whole number has 3 places in that page's example, and s + 3 is our reading of it); DuckDB gives
DOUBLE for all. Where the type of an operand cannot be told from the tree, DuckDB's DOUBLE stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from emulator.session import Session

# A scale, or None where a value is no exact number or its type is not known.
Scale = int | None


def limit_scales(tree: exp.Expression, session: Session) -> exp.Expression:
    """Round divisions and averages of exact numbers as Snowflake does."""
    nodes = [node for node in tree.dfs() if isinstance(node, (exp.Div, exp.Avg))]
    if not nodes:
        return tree
    scales = Scales(session)
    found = [(node, scales.of(node)) for node in nodes]
    for node, scale in reversed(found):
        if scale is None:
            continue
        parent, key, index = node.parent, node.arg_key, node.index
        if isinstance(node, exp.Div):
            node.set("this", exp.cast(node.this.copy(), "double"))
        value: exp.Expression = node
        if isinstance(parent, exp.Window) and key == "this":
            # AVG(x) OVER (...): the window is what is rounded.
            value, parent, key, index = parent, parent.parent, parent.arg_key, parent.index
        rounded = exp.cast(
            exp.Round(this=value.copy(), decimals=exp.Literal.number(scale)),
            f"decimal(38, {scale})",
        )
        if parent is None:
            tree = rounded
        else:
            parent.set(key, rounded, index)
    return tree


class Scales:
    """The scales of the exact numbers in a prepared tree."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, node: exp.Expression | None) -> Scale:
        """The scale of a value."""
        if node is None:
            return None
        if isinstance(node, exp.Literal):
            return None if node.is_string else _literal(node.name)
        if isinstance(node, exp.Cast):
            return _scale_of_type(node.to.sql("duckdb"))
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, (exp.Paren, exp.Neg, exp.Abs, exp.Min, exp.Max, exp.Sum, exp.Alias)):
            return self.of(node.this)
        if isinstance(node, (exp.Window, exp.Filter, exp.Nullif)):
            return self.of(node.this)
        if isinstance(node, (exp.Count, exp.DateDiff, exp.Length, exp.CountIf, exp.RowNumber)):
            return 0
        if isinstance(node, (exp.Div, exp.Avg)):
            return self._quotient(node)
        if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
            return self._arithmetic(node)
        if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
            return self._widest([node.this, *node.expressions])
        if isinstance(node, exp.If):
            return self._widest([node.args["true"], node.args.get("false")])
        if isinstance(node, exp.Case):
            results = [branch.args["true"] for branch in node.args["ifs"]]
            return self._widest([*results, node.args.get("default")])
        if isinstance(node, exp.Subquery):
            query = node.this
            return self.of(query.selects[0]) if isinstance(query, exp.Select) else None
        return None

    def _quotient(self, node: exp.Expression) -> Scale:
        scale = self.of(node.this)
        if scale is None or (isinstance(node, exp.Div) and self.of(node.expression) is None):
            return None
        more = 3 if isinstance(node.parent, exp.Window) and node.arg_key == "this" else 6
        return max(scale, min(scale + more, 12))

    def _arithmetic(self, node: exp.Expression) -> Scale:
        left, right = self.of(node.this), self.of(node.expression)
        if left is None or right is None:
            return None
        return (
            min(left + right, max(left, right, 12))
            if isinstance(node, exp.Mul)
            else max(left, right)
        )

    def _widest(self, values: list[exp.Expression | None]) -> Scale:
        """The scale of alternatives: all must be exact; a NULL takes the others' type."""
        scales = [self.of(v) for v in values if v is not None and not isinstance(v, exp.Null)]
        known = [scale for scale in scales if scale is not None]
        return max(known) if known and len(known) == len(scales) else None

    def _column(self, column: exp.Column) -> Scale:
        select = column.find_ancestor(exp.Select)
        while select is not None:
            from_ = select.args.get("from_") or select.args.get("from")
            joined = [join.this for join in select.args.get("joins") or []]
            for source in [*([from_.this] if from_ else []), *joined]:
                if column.table and source.alias_or_name != column.table:
                    continue
                found, scale = self._in_source(source, column.name)
                if found:
                    return scale
            for item in select.expressions:
                if (
                    isinstance(item, exp.Alias)
                    and item.alias == column.name
                    and not _inside(column, item)
                ):
                    return self.of(item.this)
            select = select.find_ancestor(exp.Select)
        return None

    def _in_source(self, source: exp.Expression, name: str) -> tuple[bool, Scale]:
        """Whether a source has a column, and its scale."""
        if isinstance(source, exp.Table):
            if not source.args.get("catalog"):
                cte = _cte(source)
                return self._in_query(cte.this, name) if cte is not None else (False, None)
            types = self._types(source)
            return (name in types, _scale_of_type(types.get(name, "")))
        if isinstance(source, exp.Subquery):
            return self._in_query(source.this, name)
        return (False, None)

    def _in_query(self, query: exp.Expression, name: str) -> tuple[bool, Scale]:
        while isinstance(query, (exp.SetOperation, exp.Subquery)):
            query = query.this
        if not isinstance(query, exp.Select):
            return (False, None)
        for item in query.expressions:
            if item.alias_or_name == name:
                return (True, self.of(item.this if isinstance(item, exp.Alias) else item))
        if any(item.is_star for item in query.expressions):
            from_ = query.args.get("from_") or query.args.get("from")
            joined = [join.this for join in query.args.get("joins") or []]
            for source in [*([from_.this] if from_ else []), *joined]:
                found, scale = self._in_source(source, name)
                if found:
                    return (True, scale)
        return (False, None)

    def _types(self, table: exp.Table) -> dict[str, str]:
        rows = self._session.duck.execute(
            "select column_name, data_type from duckdb_columns() "
            "where database_name = ? and schema_name = ? and table_name = ?",
            [table.catalog, table.db, table.name],
        ).fetchall()
        return dict(rows)


def _cte(table: exp.Table) -> exp.CTE | None:
    node: exp.Expression | None = table.parent
    while node is not None:
        with_ = node.args.get("with_") or node.args.get("with")
        for cte in with_.expressions if with_ is not None else []:
            if cte.alias == table.name and not _inside(table, cte):
                return cte
        node = node.parent
    return None


def _inside(node: exp.Expression, outer: exp.Expression) -> bool:
    current: exp.Expression | None = node
    while current is not None:
        if current is outer:
            return True
        current = current.parent
    return False


def _literal(text: str) -> Scale:
    """`1.50` is NUMBER(3, 2); `1e5` is FLOAT (https://docs.snowflake.com/en/sql-reference/data-types-numeric)."""
    if not re.fullmatch(r"\d*\.?\d*", text):
        return None
    return len(text.partition(".")[2])


def _scale_of_type(text: str) -> Scale:
    text = text.upper()
    if found := re.fullmatch(r"(?:DECIMAL|NUMBER|NUMERIC)\(\s*\d+\s*(?:,\s*(\d+)\s*)?\)", text):
        return int(found[1] or 0)
    whole = r"(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|INT|DECIMAL|NUMBER|NUMERIC)"
    return 0 if re.fullmatch(whole, text) else None
