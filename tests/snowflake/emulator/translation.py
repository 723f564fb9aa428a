"""From Snowflake's syntax tree to DuckDB's SQL: fakesnow's transforms, and ours around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from emulator import dialect, errors, exact_numbers
from emulator.statements import ObjectName

if TYPE_CHECKING:
    from emulator.session import Session

# Names that a query may use with no table defining them.
_IMPLIED_COLUMNS = {f"COLUMN{place}" for place in range(1, 200)} | {
    "SEQ",
    "KEY",
    "PATH",
    "INDEX",
    "VALUE",
    "THIS",
    "METADATA$FILENAME",
}


def to_duckdb(tree: exp.Expression, session: Session) -> str:
    """DuckDB's SQL for a query or DML statement."""
    return render(prepare(tree, session), session)


def prepare(tree: exp.Expression, session: Session) -> exp.Expression:
    """The tree with full names in upper case, stages as files, and our functions."""
    tree = tree.copy()
    _name_results(tree)
    dialect.upper_case(tree)
    from emulator import functions, staged_files  # noqa: PLC0415 (they import this module)

    tree = tree.transform(lambda node: _context_function(node, session), copy=False)
    tree = dialect.apply(tree, _CORRECTED)
    tree = functions.rewrite_calls(tree, session)
    tree = staged_files.rewrite(tree, session)
    _positions(tree, session)
    known: set[str] = set(_IMPLIED_COLUMNS)
    _qualify(tree, session, frozenset(), known)
    _check_case(tree, known)
    return exact_numbers.limit_scales(tree, session)


def render(tree: exp.Expression, session: Session) -> str:
    """DuckDB's SQL for a prepared tree."""
    translated = dialect.apply(dialect.translate(tree), _LAST)
    sql = translated.sql(dialect="duckdb")
    if seed := translated.args.get("seed"):
        sql = f"select setseed({seed}); {sql}"
    return sql


def _name_results(tree: exp.Expression) -> None:
    """An expression without an alias is named by its own text, in upper case."""
    query = tree.expression if isinstance(tree, exp.Create) else tree
    if isinstance(query, exp.Subquery):
        query = query.unnest()
    while isinstance(query, exp.SetOperation):
        query = query.left
    if not isinstance(query, exp.Select):
        return
    for item in query.expressions:
        if (
            isinstance(item, (exp.Alias, exp.Column, exp.Star, exp.Dot, exp.Identifier))
            or item.is_star
        ):
            continue
        item.replace(exp.alias_(item.copy(), item.sql("snowflake").upper(), quoted=True))


def _positions(tree: exp.Expression, session: Session) -> None:
    """`$1` is the first column of what is selected from.

    https://docs.snowflake.com/en/sql-reference/constructs/values
    """
    for parameter in list(tree.find_all(exp.Parameter)):
        select = parameter.find_ancestor(exp.Select)
        from_ = select and (select.args.get("from_") or select.args.get("from"))
        if from_ is None or not parameter.name.isdigit():
            continue
        source, place = from_.this, int(parameter.name) - 1
        names: list[str] = []
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            parts = [part.name for part in source.parts]
            names = columns_of(session, session.complete(parts)) or []
        elif isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
            names = source.this.named_selects
        name = names[place] if place < len(names) else f"COLUMN{place + 1}"
        parameter.replace(exp.column(exp.to_identifier(name, quoted=True)))


_CONTEXT: dict[type[exp.Expression], Any] = {
    exp.CurrentWarehouse: lambda session: session.warehouse,
    exp.CurrentRole: lambda session: session.role,
    exp.CurrentDatabase: lambda session: session.database,
    exp.CurrentSchema: lambda session: session.schema,
    exp.CurrentUser: lambda session: session.user,
    exp.CurrentAccount: lambda session: "EMULATOR",
    exp.CurrentSession: lambda session: str(session.id),
}
_CONTEXT_BY_NAME = {
    "CURRENT_ACCOUNT_NAME": lambda session: "EMULATOR",
    "CURRENT_ORGANIZATION_NAME": lambda session: "LOCAL",
    "CURRENT_REGION": lambda session: "LOCAL",
    "CURRENT_CLIENT": lambda session: "PythonConnector",
    "CURRENT_SECONDARY_ROLES": lambda session: '{"roles":"","value":""}',
    "CURRENT_AVAILABLE_ROLES": lambda session: f'["{session.role}"]',
    "LAST_QUERY_ID": lambda session: next(reversed(session.results), None),
}


def _context_function(node: exp.Expression, session: Session) -> exp.Expression:
    """https://docs.snowflake.com/en/sql-reference/functions-context"""
    value = _CONTEXT.get(type(node))
    if value is None and isinstance(node, (exp.Anonymous, exp.Func)):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        value = _CONTEXT_BY_NAME.get(str(name).upper())
    if value is None:
        return node
    text = value(session)
    return exp.cast(exp.null() if text is None else exp.Literal.string(text), "varchar")


def _corrected(node: exp.Expression) -> exp.Expression:
    """Functions that fakesnow and sqlglot leave wrong."""
    if isinstance(node, exp.ToNumber) and set(node.text("format").upper()) == {"X"}:
        # Hexadecimal digits: https://docs.snowflake.com/en/sql-reference/sql-format-models
        digits = exp.DPipe(this=exp.Literal.string("0x"), expression=node.this)
        return exp.cast(exp.paren(digits), "bigint")
    if isinstance(node, exp.ArrayToString) and isinstance(node.this, exp.ArrayConstructCompact):
        # DuckDB's CONCAT_WS leaves nulls out, as ARRAY_CONSTRUCT_COMPACT does.
        texts = [exp.cast(item, "varchar") for item in node.this.expressions]
        return exp.Anonymous(this="CONCAT_WS", expressions=[node.expression, *texts])
    if isinstance(node, exp.HashAgg):
        # Of the rows in any order: https://docs.snowflake.com/en/sql-reference/functions/hash_agg
        hashed = exp.Anonymous(this="hash", expressions=[node.this, *node.expressions])
        return exp.cast(exp.Sum(this=hashed), "varchar")
    if isinstance(node, exp.Array) and not isinstance(node.parent, (exp.Func, exp.Kwarg)):
        return exp.Anonymous(this="json_array", expressions=node.expressions)
    if isinstance(node, exp.Anonymous) and node.name.upper() in _TRY_TIMESTAMPS:
        return exp.TryCast(
            this=node.expressions[0], to=exp.DataType.build(_TRY_TIMESTAMPS[node.name.upper()])
        )
    return node


_TRY_TIMESTAMPS = {
    "TRY_TO_TIMESTAMP": "timestamp",
    "TRY_TO_TIMESTAMP_NTZ": "timestamp",
    "TRY_TO_TIMESTAMP_TZ": "timestamptz",
    "TRY_TO_TIMESTAMP_LTZ": "timestamptz",
}


def _qualify(
    node: exp.Expression, session: Session, hidden: frozenset[str], known: set[str]
) -> None:
    """Complete each table's name, send temporary tables to where they are, collect columns.

    `hidden` are the names of common table expressions: they hide tables of the same name.
    """
    with_ = node.args.get("with_") or node.args.get("with")
    if with_ is not None:
        inner = hidden
        if with_.args.get("recursive"):
            inner = inner | {cte.alias for cte in with_.expressions}
        for cte in with_.expressions:
            _qualify(cte, session, inner, known)
            inner = inner | {cte.alias}
        hidden = inner
    if isinstance(node, (exp.Alias, exp.TableAlias)):
        known.update(column.name for column in node.args.get("columns") or [])
        known.add(node.name if isinstance(node, exp.TableAlias) else node.alias)
    if isinstance(node, exp.ColumnDef):
        known.add(node.name)
    for value in list(node.args.values()):
        if value is with_:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expression):
                _qualify(child, session, hidden, known)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        if not node.db and node.name in hidden:
            return
        qualify_table(node, session, known)


def qualify_table(node: exp.Table, session: Session, known: set[str] | None = None) -> None:
    """Complete a table's name; refuse one that is not there, or only in another case."""
    parts = [part.name for part in (node.args.get("catalog"), node.args.get("db")) if part]
    if parts[-1:] == ["INFORMATION_SCHEMA"] or parts[-1:] == ["_FS_INFORMATION_SCHEMA"]:
        database = parts[0] if len(parts) == 2 else session.database
        node.set("catalog", exp.to_identifier(database, quoted=True))
        if known is not None:
            known.update(_INFORMATION_SCHEMA_COLUMNS)
        return
    if parts[:1] == ["temp"]:
        # Put here by the emulator: rows of a stage, or of an earlier result.
        if known is not None:
            known.update(_temporary_columns(session, node.name))
        return
    name = session.complete([*parts, node.name])
    columns = columns_of(session, name)
    if columns is None:
        raise errors.no_such_object("Object", name)
    if known is not None:
        known.update(columns)
    place(node, physical(session, name), name)


def reads_of(prepared: exp.Expression) -> set[ObjectName]:
    """The tables and views that a prepared query reads."""
    return {
        ObjectName(table.catalog, table.db, table.name)
        for table in prepared.find_all(exp.Table)
        if table.catalog and isinstance(table.this, exp.Identifier)
    }


def columns_of(session: Session, name: ObjectName) -> list[str] | None:
    """The columns of a table or view as this session sees it; None where there is none.

    A temporary table hides another table of its name
    (https://docs.snowflake.com/en/user-guide/tables-temp-transient).
    """
    if name in session.temporary:
        return _temporary_columns(session, session.temporary[name])
    return session.account.columns().get(name)


def _temporary_columns(session: Session, stored: str) -> list[str]:
    found = session.duck.execute(
        "select column_name from duckdb_columns() "
        "where database_name = 'temp' and table_name = ? order by column_index",
        [stored],
    ).fetchall()
    return [column for (column,) in found]


def physical(session: Session, name: ObjectName) -> tuple[str, str, str]:
    """Where DuckDB keeps a table: temporary ones are in `temp`, under their full name."""
    if name in session.temporary:
        return ("temp", "main", session.temporary[name])
    return tuple(name)


def physical_sql(session: Session, name: ObjectName) -> str:
    return ObjectName(*physical(session, name)).sql


def place(node: exp.Table, where: tuple[str, str, str], name: ObjectName) -> None:
    """Point a table node at DuckDB's table; columns may still be qualified by the old name."""
    catalog, schema, table = where
    node.set("catalog", exp.to_identifier(catalog, quoted=True))
    node.set("db", exp.to_identifier(schema, quoted=True))
    node.set("this", exp.to_identifier(table, quoted=True))
    moved = table != name.name
    in_query = isinstance(node.parent, (exp.From, exp.Join)) or node.arg_key == "using"
    if moved and in_query and not node.args.get("alias"):
        node.set("alias", exp.TableAlias(this=exp.to_identifier(name.name, quoted=True)))


def _check_case(tree: exp.Expression, known: set[str]) -> None:
    """Refuse a column that exists in another case only; DuckDB would find it.

    https://docs.snowflake.com/en/sql-reference/identifiers-syntax
    """
    folded = {name.upper() for name in known}
    for column in tree.find_all(exp.Column):
        name = column.name
        if name not in known and name.upper() in folded:
            raise errors.invalid_identifier(f'"{name}"' if name != name.upper() else name)


def _checked_division(node: exp.Expression) -> exp.Expression:
    """Division by zero is an error, not a null.

    https://docs.snowflake.com/en/sql-reference/operators-arithmetic
    """
    if not isinstance(node, (exp.Div, exp.Mod)):
        return node
    divisor = node.expression.unnest()
    if isinstance(divisor, (exp.Nullif, exp.Null)):
        return node
    if isinstance(divisor, exp.Literal) and float(divisor.name or 0) != 0:
        return node
    node.set("expression", _macro("nonzero", node.expression.copy()))
    return node


def _macro(name: str, *arguments: exp.Expression) -> exp.Expression:
    """A call of one of the macros in `information_schema.GLOBAL_SQL`."""
    call = exp.Anonymous(this=name, expressions=list(arguments))
    return exp.Dot.build([exp.to_identifier("_fs_global"), exp.to_identifier("emulator"), call])


def _binary_cast(node: exp.Expression) -> exp.Expression:
    """A text becomes BINARY by its hexadecimal digits, not by its bytes.

    https://docs.snowflake.com/en/sql-reference/binary-input-output
    """
    if isinstance(node, exp.Cast) and node.to.this in (
        exp.DataType.Type.BINARY,
        exp.DataType.Type.VARBINARY,
    ):
        return _macro("as_binary", node.this)
    return node


_CORRECTED: dialect.Rules = {
    type_: [_corrected]
    for type_ in (exp.ToNumber, exp.ArrayToString, exp.HashAgg, exp.Array, exp.Anonymous)
}
_LAST: dialect.Rules = {
    exp.Div: [_checked_division],
    exp.Mod: [_checked_division],
    exp.Cast: [_binary_cast],
    exp.TryCast: [_binary_cast],
}

_INFORMATION_SCHEMA_COLUMNS = {
    "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_OWNER", "TABLE_TYPE", "IS_TRANSIENT",
    "CLUSTERING_KEY", "ROW_COUNT", "BYTES", "CREATED", "LAST_ALTERED", "LAST_DDL", "COMMENT",
    "IS_TEMPORARY", "IS_DYNAMIC", "IS_ICEBERG", "COLUMN_NAME", "ORDINAL_POSITION", "DATA_TYPE",
    "CATALOG_NAME", "SCHEMA_NAME", "SCHEMA_OWNER", "DATABASE_NAME", "VIEW_DEFINITION",
}  # fmt: skip
