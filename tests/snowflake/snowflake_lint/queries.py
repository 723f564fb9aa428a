"""Rules that need to know what exists: the columns that a query names, the types that it adds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from .problem import Problem, docs
from .reference import ARITHMETIC_PAGE, IDENTIFIERS_PAGE, INTERVAL_PAGE
from .relations import Relations
from .statement import Statement
from .trees import exact_denominator

COLUMNS_PAGE = docs("sql-reference/sql/select")

_TIMESTAMPS = {
    exp.DType.TIMESTAMP,
    exp.DType.TIMESTAMPNTZ,
    exp.DType.TIMESTAMPLTZ,
    exp.DType.TIMESTAMPTZ,
    exp.DType.TIME,
}
_SOURCES = (exp.Table, exp.TableFromRows, exp.Lateral)
_FIXED = exp.DataType.INTEGER_TYPES | {exp.DType.DECIMAL}
# Of the family of what they are given.
_TRANSPARENT = (
    exp.Abs,
    exp.Avg,
    exp.Max,
    exp.Min,
    exp.Neg,
    exp.Nullif,
    exp.Paren,
    exp.Round,
    exp.Sum,
    exp.Window,
)


def check_queries(statement: Statement, relations: Relations) -> Iterator[Problem]:
    """Columns that do not exist, and arithmetic that answers differently on Snowflake."""
    for place, tree in enumerate(statement.trees):
        statement.resolved[place] = []
        for query in queries_of(tree):
            unknown = unknown_tables(query, relations)
            for table in unknown:
                yield statement.problem(
                    "relation",
                    statement.line_of(table),
                    f"the relation {table.sql('snowflake')} is not in the catalog, nor made before",
                    IDENTIFIERS_PAGE,
                )
            if unknown or any(map(_is_opaque, query.find_all(*_SOURCES))):
                continue
            try:
                resolved = resolve(query, relations)
            except SqlglotError as error:
                line = statement.line_of(query)
                yield statement.problem("column", line, f"{_sentence(error)}", COLUMNS_PAGE)
                continue
            statement.resolved[place].append(resolved)
            yield from _check_arithmetic(statement, resolved)
        yield from _check_targets(statement, tree, relations)


def queries_of(tree: exp.Expr) -> list[exp.Query]:
    """The queries of a statement; changes of a table are written as the query that they read."""
    if isinstance(tree, exp.Query):
        return [tree]
    if isinstance(tree, (exp.Create, exp.Insert)):
        query = tree.expression
        if isinstance(query, exp.Subquery):
            query = query.unnest()
        if not isinstance(query, exp.Query):
            return []
        outer = tree.args.get("with_")
        if outer and not query.args.get("with_"):
            query = query.copy()
            query.set("with_", outer.copy())
        return [query]
    if isinstance(tree, exp.Delete):
        return [_reading(tree.this, tree.args.get("using") or [], tree.args.get("where"))]
    if isinstance(tree, exp.Update):
        source = tree.args.get("from_")
        others = [source.this] if source else []
        values = [
            assignment.expression
            for assignment in tree.expressions
            if isinstance(assignment, exp.EQ)
        ]
        return [_reading(tree.this, others, tree.args.get("where"), values)]
    return _queries_of_merge(tree) if isinstance(tree, exp.Merge) else []


def _queries_of_merge(tree: exp.Merge) -> list[exp.Query]:
    """What a merge compares and updates with both sides, and what it inserts from its source."""
    both: list[exp.Expr] = []
    inserted: list[exp.Expr] = []
    for when in tree.find_all(exp.When):
        then = when.args.get("then")
        if when.args.get("condition"):
            (both if when.args.get("matched") else inserted).append(when.args["condition"])
        if isinstance(then, exp.Update):
            both += [item.expression for item in then.expressions if isinstance(item, exp.EQ)]
        elif isinstance(then, exp.Insert) and isinstance(then.expression, exp.Tuple):
            inserted += then.expression.expressions
    source = tree.args["using"]
    matching = exp.Where(this=tree.args["on"].copy())
    # A row that is inserted has no match: only the source has columns.
    return [_reading(tree.this, [source], matching, both), _reading(source, [], None, inserted)]


def resolve(query: exp.Query, relations: Relations) -> exp.Query:
    """The query with each column traced to its table and each expression typed.

    Raises:
        SqlglotError: a column does not exist or could be one of several.

    """
    schema = MappingSchema(dialect="snowflake", normalize=False)
    query = query.copy()
    ctes = {cte.alias.upper() for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if not table.db and table.name.upper() in ctes:
            continue
        relation = relations.find(table)
        if relation is None:
            continue
        key = relations.key(table)
        for part, name in zip(("catalog", "db", "this"), key, strict=True):
            table.set(part, exp.to_identifier(name or "_", quoted=True))
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(key[2], quoted=True)))
        schema.add_table(
            exp.table_(key[2], db=key[1] or "_", catalog=key[0] or "_", quoted=True),
            {name: _type(text) for name, text in relation.columns.items()},
            match_depth=False,
        )
    resolved = qualify(
        query,
        schema=schema,
        dialect="snowflake",
        validate_qualify_columns=True,
        quote_identifiers=False,
    )
    return annotate_types(resolved, schema=schema, dialect="snowflake")


def _reading(
    target: exp.Expr,
    others: list[exp.Expr],
    where: exp.Expr | None,
    values: list[exp.Expr] | None = None,
) -> exp.Query:
    query = exp.select(*[value.copy() for value in values or [exp.Literal.number(1)]])
    query = query.from_(target.copy())
    for other in others:
        query = query.join(other.copy(), join_type="cross")
    if where:
        query = query.where(where.this.copy())
    return query


def unknown_tables(query: exp.Query, relations: Relations) -> list[exp.Table]:
    """The tables of a query that do not exist."""
    ctes = {cte.alias.upper() for cte in query.find_all(exp.CTE)}
    return [
        table
        for table in query.find_all(exp.Table)
        if not (not table.db and table.name.upper() in ctes)
        and not _is_opaque(table)
        and relations.find(table) is None
    ]


def _is_opaque(source: exp.Expr) -> bool:
    """Whether the columns of a source are not in any catalog of ours.

    The views of the database SNOWFLAKE, the files of a stage, and what a table function gives.
    https://docs.snowflake.com/en/sql-reference/account-usage
    """
    if isinstance(source, exp.Table):
        return source.catalog.upper() == "SNOWFLAKE" or not isinstance(source.this, exp.Identifier)
    return not isinstance(source.this, (exp.Explode, exp.Unnest, exp.Query))


@cache
def _type(text: str) -> str:
    """A type that the parser takes: what it does not know has no part in the rules."""
    try:
        return exp.DataType.build(text, dialect="snowflake").sql("snowflake")
    except SqlglotError:
        return "VARIANT"


def _sentence(error: SqlglotError) -> str:
    return " ".join(str(error).split())


def _check_arithmetic(statement: Statement, resolved: exp.Expr) -> Iterator[Problem]:
    for node in resolved.find_all(exp.Add, exp.Sub, exp.Div):
        left, right = _family(node.this), _family(node.expression)
        line = statement.line_of(node)
        if isinstance(node, exp.Div):
            if left == right == "fixed" and not exact_denominator(node.expression):
                yield statement.problem(
                    "division",
                    line,
                    "dividing two fixed-point numbers rounds to a few decimals on Snowflake, and "
                    "not on DuckDB: cast one of them to double",
                    ARITHMETIC_PAGE,
                )
        elif "timestamp" in (left, right) and "fixed" in (left, right):
            yield statement.problem(
                "timestamp",
                line,
                "a whole number can be added to a date, not to a timestamp: use dateadd",
                INTERVAL_PAGE,
            )


def _family(node: exp.Expr | None) -> str | None:
    """What arithmetic computes with: `fixed`, `float` or `timestamp`; None where that is open.

    A literal with a point is a fixed-point number on Snowflake, and so are the sum and the average
    of fixed-point numbers: https://docs.snowflake.com/en/sql-reference/data-types-numeric
    """
    if isinstance(node, exp.Literal):
        return None if node.is_string else "float" if "e" in node.name.lower() else "fixed"
    if isinstance(node, _TRANSPARENT):
        return _family(node.this)
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        return _common([_family(node.this), _family(node.expression)])
    if isinstance(node, exp.Coalesce):
        return _common([_family(part) for part in (node.this, *node.expressions)])
    if isinstance(node, exp.Case):
        branches = [part.args["true"] for part in node.args["ifs"]]
        default = node.args.get("default")
        return _common([_family(part) for part in (*branches, *([default] if default else []))])
    kind = node.type.this if node is not None and node.type else None
    if kind in _TIMESTAMPS:
        return "timestamp"
    if kind in _FIXED:
        return "fixed"
    return "float" if kind in exp.DataType.FLOAT_TYPES else None


def _common(families: list[str | None]) -> str | None:
    """A float makes a float of the rest; what is not known leaves the answer open."""
    for family in ("timestamp", "float", None):
        if family in families:
            return family
    return "fixed"


def _check_targets(statement: Statement, tree: exp.Expr, relations: Relations) -> Iterator[Problem]:
    """The columns that a statement writes exist in its table."""
    for target, names in written_columns(tree):
        relation = relations.find(target)
        if relation is None:
            continue
        for name in names:
            exact = name.name if name.args.get("quoted") else name.name.upper()
            if exact not in relation.columns:
                yield statement.problem(
                    "column",
                    statement.line_of(name),
                    f"the column {exact} to write does not exist in {target.sql('snowflake')}",
                    COLUMNS_PAGE,
                )


def written_columns(tree: exp.Expr) -> Iterator[tuple[exp.Table, list[exp.Identifier]]]:
    """The table that a statement changes, with the columns that it names for writing."""
    if isinstance(tree, exp.Insert) and isinstance(tree.this, exp.Schema):
        yield (
            tree.this.this,
            [item for item in tree.this.expressions if isinstance(item, exp.Identifier)],
        )
    elif isinstance(tree, exp.Update) and isinstance(tree.this, exp.Table):
        yield tree.this, _assigned(tree)
    elif isinstance(tree, exp.Merge) and isinstance(tree.this, exp.Table):
        for when in tree.find_all(exp.When):
            then = when.args.get("then")
            if isinstance(then, exp.Update):
                yield tree.this, _assigned(then)
            elif isinstance(then, exp.Insert) and isinstance(then.this, exp.Tuple):
                yield (
                    tree.this,
                    [item.this for item in then.this.expressions if isinstance(item, exp.Column)],
                )


def _assigned(update: exp.Expr) -> list[exp.Identifier]:
    return [
        item.this.this
        for item in update.expressions
        if isinstance(item, exp.EQ) and isinstance(item.this, exp.Column)
    ]
