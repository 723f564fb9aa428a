"""DDL of databases, schemas, tables and views, their columns and comments."""

from __future__ import annotations

import datetime
import re

from sqlglot import exp

from emulator import answers, errors, execution, translation
from emulator.account import Grant, ObjectInfo
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, NAME_PART, ObjectName, Statement, split_name

_LITERAL = r"(?:'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$)"


def text_of(literal: str) -> str:
    """The text of a literal in quotes or between dollars."""
    if literal.startswith("$$"):
        return literal[2:-2]
    return re.sub(r"\\(.)|''", lambda found: found[1] or "'", literal[1:-1], flags=re.S)


def handle(statement: Statement, session: Session) -> Answer | None:
    for pattern, run in _COMMANDS:
        if found := pattern.match(statement.body):
            session.commit()
            answer = run(found, session)
            if answer is not None:
                return answer
    if statement.starts_with("CREATE") and isinstance(statement.tree, exp.Create):
        kind = str(statement.tree.args.get("kind")).upper()
        if kind in ("TABLE", "VIEW"):
            session.commit()
            create = _create_table if kind == "TABLE" else _create_view
            return create(statement.tree, statement, session)
        if kind == "SEQUENCE":
            session.commit()
            execution.execute(session, translation.render(statement.tree.copy(), session))
            return answers.status("Sequence successfully created.")
    if (
        statement.starts_with("ALTER")
        and isinstance(statement.tree, exp.Alter)
        and str(statement.tree.args.get("kind")).upper() in ("TABLE", "VIEW")
    ):
        session.commit()
        return _alter(statement.tree, session)
    return None


# -- databases and schemas -------------------------------------------------------------------------


def _create_database(found: re.Match[str], session: Session) -> Answer:
    name = split_name(found["name"])[0]
    if name in session.account.databases():
        if found["exists"]:
            return answers.status(f"{name} already exists, statement succeeded.")
        if not found["replace"]:
            raise errors.already_exists(name)
        _drop_database(name, session)
    session.account.create_database(name)
    session.use(name)
    return answers.status(f"Database {name} successfully created.")


def _drop_database(name: str, session: Session) -> None:
    account = session.account
    for other in {*account.sessions.values(), session}:
        if other.conn.database == name:
            other.duck.execute("use memory")
            other.conn.database_set = other.conn.schema_set = False
            other.conn.database = None
    account.metadata.execute(f'detach "{name}"')
    account.forget_scope(name)


def _create_schema(found: re.Match[str], session: Session) -> Answer:
    database, schema = _schema_name(found["name"], session)
    if (database, schema) in session.account.schemas():
        if found["replace"]:
            execution.execute(session, f'drop schema "{database}"."{schema}" cascade')
            session.account.forget_scope(database, schema)
        elif found["exists"]:
            return answers.status(f"{schema} already exists, statement succeeded.")
        else:
            raise errors.already_exists(schema)
    execution.execute(session, f'create schema "{database}"."{schema}"')
    session.account.changed()
    # https://docs.snowflake.com/en/sql-reference/sql/create-schema
    session.use(database, schema)
    return answers.status(f"Schema {schema} successfully created.")


def _schema_name(text: str, session: Session) -> tuple[str, str]:
    parts = split_name(text)
    database = parts[-2] if len(parts) > 1 else session.database
    if database not in session.account.databases():
        raise errors.no_such_object("Database", database)
    return database, parts[-1]


def _drop(found: re.Match[str], session: Session) -> Answer | None:
    kind = re.sub(r"\s+", " ", found["kind"].upper())
    missing_is_fine = bool(found["exists"])
    account = session.account
    if kind == "DATABASE":
        name = split_name(found["name"])[0]
        if name not in account.databases():
            if missing_is_fine:
                return _dropped(name, False)
            raise errors.no_such_object("Database", name)
        _drop_database(name, session)
        return _dropped(name)
    if kind == "SCHEMA":
        parts = split_name(found["name"])
        database = parts[-2] if len(parts) > 1 else session.database
        if (database, parts[-1]) not in account.schemas():
            if missing_is_fine:
                return _dropped(parts[-1], False)
            raise errors.no_such_object("Schema", found["name"])
        for other in {*account.sessions.values(), session}:
            if other.conn.database == database and other.conn._schema == parts[-1]:
                other.duck.execute(f"set schema='\"{database}\".main'")
                other.conn.schema_set = False
        execution.execute(session, f'drop schema "{database}"."{parts[-1]}" cascade')
        account.forget_scope(str(database), parts[-1])
        return _dropped(parts[-1])
    name = session.name_of(found["name"])
    if translation.columns_of(session, name) is None:
        if missing_is_fine:
            return _dropped(name.name, False)
        raise errors.no_such_object("Object", name)
    word = "view" if kind == "VIEW" else "table"
    execution.execute(session, f"drop {word} {translation.physical_sql(session, name)}")
    if name in session.temporary:
        del session.temporary[name]
    else:
        account.forget(name)
    return _dropped(name.name)


def _dropped(name: str, existed: bool = True) -> Answer:
    if existed:
        return answers.status(f"{name} successfully dropped.")
    return answers.status("Drop statement executed successfully (already dropped).")


# -- tables ----------------------------------------------------------------------------------------


def _target(tree: exp.Create, session: Session) -> tuple[ObjectName, list[exp.Expression]]:
    """The full name of what is created, and its column definitions."""
    node, definitions = tree.this, []
    if isinstance(node, exp.Schema):
        node, definitions = node.this, node.expressions
    parts = [part.name if part.quoted else part.name.upper() for part in node.parts]
    name = session.complete(parts)
    session.account.require_schema(name)
    return name, definitions


def _properties(tree: exp.Create) -> list[exp.Expression]:
    properties = tree.args.get("properties")
    return list(properties.expressions) if properties else []


def _comment_of(tree: exp.Create) -> str | None:
    for item in _properties(tree):
        if isinstance(item, exp.SchemaCommentProperty):
            return item.this.name
    return None


def _is_temporary(tree: exp.Create) -> bool:
    return any(isinstance(item, exp.TemporaryProperty) for item in _properties(tree))


def _create_table(tree: exp.Create, statement: Statement, session: Session) -> Answer:
    name, definitions = _target(tree, session)
    temporary = _is_temporary(tree)
    exists = name in session.temporary if temporary else session.account.exists(name)
    if exists and tree.args.get("exists"):
        return answers.status(f"{name.name} already exists, statement succeeded.")
    if exists and not tree.args.get("replace"):
        raise errors.already_exists(name)
    info = session.account.objects.get(name)
    if exists and not temporary and info is not None and info.kind != "TABLE":
        raise errors.compilation(f"Object '{name}' already exists as {info.kind}", 2203, "42710")
    where = ("temp", "main", str(name)) if temporary else tuple(name)
    target = ObjectName(*where).sql
    source = tree.expression
    lengths: dict[str, int] = {}
    if clone := tree.args.get("clone"):
        copied = session.complete(
            [part.name if part.quoted else part.name.upper() for part in clone.this.parts]
        )
        source_sql = f"select * from {translation.physical_sql(session, copied)}"
        lengths = dict(session.account.info(copied).text_lengths)
    elif source is not None:
        prepared = translation.prepare(source, session)
        lengths = _text_lengths(prepared)
        source_sql = execution.flat(session, translation.render(prepared, session))
    else:
        source_sql = None
    word = "temporary table" if temporary else "table"
    if definitions:
        if tree.args.get("like"):
            raise errors.syntax("CREATE TABLE ... LIKE")
        schema_sql, comments, lengths = _columns_sql(definitions, session)
        if source_sql is not None:
            # The rows first: the query may read the table that is replaced.
            execution.execute(
                session, f"create or replace temp table emulator_rows as {source_sql}"
            )
        execution.execute(session, f"create or replace {word} {target} ({schema_sql})")
        if source_sql is not None:
            try:
                execution.execute(
                    session, f"insert into {target} select * from temp.main.emulator_rows"
                )
            except errors.SnowflakeError:
                execution.execute(session, f"drop table {target}")
                session.account.forget(name)
                raise
            execution.execute(session, "drop table temp.main.emulator_rows")
    else:
        comments = {}
        execution.execute(session, f"create or replace {word} {target} as {source_sql}")
    if temporary:
        session.temporary[name] = str(name)
    else:
        transient = any(isinstance(item, exp.TransientProperty) for item in _properties(tree))
        info = ObjectInfo("TABLE", _now(), transient, session.role, lengths)
        session.account.record(name, info, _copied_grants(tree, name, session))
    _comment(session, "table", target, _comment_of(tree))
    for column, comment in comments.items():
        _comment(session, "column", f'{target}."{column}"', comment)
    return answers.status(f"Table {name.name} successfully created.")


def _columns_sql(
    definitions: list[exp.Expression], session: Session
) -> tuple[str, dict[str, str], dict[str, int]]:
    """DuckDB's column list. Keys are recorded by Snowflake, not enforced: they are left out.

    https://docs.snowflake.com/en/sql-reference/constraints-overview
    """
    parts, comments, lengths = [], {}, {}
    for given in definitions:
        if not isinstance(given, exp.ColumnDef):
            continue
        definition = given.copy()
        column = definition.this
        name = column.name if column.quoted else column.name.upper()
        definition.set("this", exp.to_identifier(name, quoted=True))
        kept = []
        for constraint in definition.args.get("constraints") or []:
            kind = constraint.kind
            if isinstance(kind, exp.CommentColumnConstraint):
                comments[name] = kind.this.name
            elif isinstance(kind, (exp.NotNullColumnConstraint, exp.DefaultColumnConstraint)):
                kept.append(constraint)
        definition.set("constraints", kept)
        if length := _length_of(definition.kind):
            lengths[name] = length
        parts.append(translation.render(definition, session))
    return ", ".join(parts), comments, lengths


def _length_of(kind: exp.Expression | None) -> int | None:
    if isinstance(kind, exp.DataType) and kind.this in exp.DataType.TEXT_TYPES and kind.expressions:
        return int(kind.expressions[0].name)
    return None


def _text_lengths(query: exp.Expression) -> dict[str, int]:
    """Lengths of texts that the outermost SELECT casts to VARCHAR(n)."""
    query = query.unnest() if isinstance(query, exp.Subquery) else query
    lengths = {}
    if isinstance(query, exp.Select):
        for item in query.expressions:
            value = item.this if isinstance(item, exp.Alias) else item
            if isinstance(value, exp.Cast) and (length := _length_of(value.to)):
                lengths[item.alias_or_name] = length
    return lengths


def _create_view(tree: exp.Create, statement: Statement, session: Session) -> Answer:
    name, definitions = _target(tree, session)
    temporary = _is_temporary(tree)
    exists = name in session.temporary if temporary else session.account.exists(name)
    if exists and tree.args.get("exists"):
        return answers.status(f"{name.name} already exists, statement succeeded.")
    if exists and not tree.args.get("replace"):
        raise errors.already_exists(name)
    where = ("temp", "main", str(name)) if temporary else tuple(name)
    target = ObjectName(*where).sql
    prepared = translation.prepare(tree.expression, session)
    reads = translation.reads_of(prepared)
    sql = execution.flat(session, translation.render(prepared, session))
    names, comments = [], {}
    for item in definitions:
        column = item.this if isinstance(item, exp.ColumnDef) else item
        text = column.name if getattr(column, "quoted", True) else column.name.upper()
        names.append(f'"{text}"')
        for constraint in item.args.get("constraints") or []:
            if isinstance(constraint.kind, exp.CommentColumnConstraint):
                comments[text] = constraint.kind.this.name
    columns = f"({', '.join(names)})" if names else ""
    word = "temporary view" if temporary else "view"
    execution.execute(session, f"create or replace {word} {target} {columns} as {sql}")
    if temporary:
        session.temporary[name] = str(name)
    else:
        info = ObjectInfo("VIEW", _now(), owner=session.role)
        info.text_lengths = _text_lengths(tree.expression)
        info.reads = reads
        session.account.record(name, info, _copied_grants(tree, name, session))
    _comment(session, "view", target, _comment_of(tree))
    for column, comment in comments.items():
        _comment(session, "column", f'{target}."{column}"', comment)
    return answers.status(f"View {name.name} successfully created.")


def _copied_grants(tree: exp.Create, name: ObjectName, session: Session) -> set[Grant] | None:
    """The grants of what is replaced, where the statement copies them."""
    if any(isinstance(item, exp.CopyGrantsProperty) for item in _properties(tree)):
        return session.account.grants.get(("TABLE", str(name)))
    return None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


# -- ALTER -----------------------------------------------------------------------------------------


def _alter(tree: exp.Alter, session: Session) -> Answer | None:
    node = tree.this
    name = session.complete(
        [part.name if part.quoted else part.name.upper() for part in node.parts]
    )
    if translation.columns_of(session, name) is None:
        if tree.args.get("exists"):
            return answers.status("Statement executed successfully.")
        raise errors.no_such_object("Table", name)
    word = str(tree.args["kind"]).lower()
    target = translation.physical_sql(session, name)
    for action in tree.args.get("actions") or []:
        if isinstance(action, exp.AlterRename):
            new = [part.name if part.quoted else part.name.upper() for part in action.this.parts]
            rename(session, word, name, new)
        elif isinstance(action, exp.SwapTable):
            _swap(session, name, action.this)
        elif isinstance(action, exp.ColumnDef):
            sql, comments, lengths = _columns_sql([action], session)
            exists = "if not exists " if action.args.get("exists") else ""
            execution.execute(session, f"alter table {target} add column {exists}{sql}")
            session.account.info(name).text_lengths.update(lengths)
            for column, comment in comments.items():
                _comment(session, "column", f'{target}."{column}"', comment)
        elif isinstance(action, (exp.Drop, exp.RenameColumn, exp.AlterColumn)):
            _alter_column(session, action, name, target)
        elif isinstance(action, exp.AlterSet):
            if comment := action.find(exp.SchemaCommentProperty):
                _comment(session, word, target, comment.this.name)
        elif isinstance(action, exp.Cluster):
            pass
        else:
            raise errors.syntax(tree.sql("snowflake"))
    session.account.changed()
    return answers.status("Statement executed successfully.")


def _alter_column(session: Session, action: exp.Expression, name: ObjectName, target: str) -> None:
    if isinstance(action, exp.Drop):
        columns = [action.this] if action.this else action.args.get("tables") or []
        for column in columns:
            exists = "if exists " if action.args.get("exists") else ""
            execution.execute(
                session, f"alter table {target} drop column {exists}{_column(column)}"
            )
    elif isinstance(action, exp.RenameColumn):
        old, new = _column(action.this), _column(action.args["to"])
        execution.execute(session, f"alter table {target} rename column {old} to {new}")
    else:
        column = _column(action.this)
        if action.args.get("comment"):
            _comment(session, "column", f"{target}.{column}", action.args["comment"].name)
        elif (kind := action.args.get("dtype")) is not None:
            # DuckDB has no lengths of texts, and Snowflake changes nothing but these and precision
            # (https://docs.snowflake.com/en/sql-reference/sql/alter-table-column).
            if length := _length_of(kind):
                session.account.info(name).text_lengths[column.strip('"')] = length
            elif kind.this not in exp.DataType.TEXT_TYPES:
                type_ = translation.render(kind.copy(), session)
                execution.execute(session, f"alter table {target} alter {column} type {type_}")
        elif action.args.get("allow_null") is not None:
            verb = "drop" if action.args["allow_null"] else "set"
            execution.execute(session, f"alter table {target} alter {column} {verb} not null")


def _column(node: exp.Expression) -> str:
    while not isinstance(node, exp.Identifier):
        node = node.this
    return '"' + (node.name if node.quoted else node.name.upper()) + '"'


def rename(session: Session, word: str, name: ObjectName, parts: list[str]) -> None:
    """Rename or move a table or view. A name without a schema stays in the same one."""
    to = session.complete([name.database, name.schema, *parts][-3:])
    if session.account.exists(to):
        raise errors.already_exists(to)
    source = ObjectName(*name).sql
    if name in session.temporary:
        execution.execute(session, f'alter {word} temp.main."{name}" rename to "{to}"')
        del session.temporary[name]
        session.temporary[to] = str(to)
        return
    info, grants = session.account.info(name), session.account.grants.get(("TABLE", str(name)))
    if (to.database, to.schema) == (name.database, name.schema):
        execution.execute(session, f'alter {word} {source} rename to "{to.name}"')
    else:
        execution.execute(session, f"create table {to.sql} as select * from {source}")
        execution.execute(session, f"drop {word} {source}")
    session.account.forget(name)
    session.account.record(to, info, grants)


def _swap(session: Session, name: ObjectName, other: exp.Table) -> None:
    parts = [part.name if part.quoted else part.name.upper() for part in other.parts]
    to = session.complete([name.database, name.schema, *parts][-3:])
    spare = ObjectName(name.database, name.schema, f"{name.name}__SWAP")
    for old, new in ((name, spare), (to, name), (spare, to)):
        rename(session, "table", old, list(new))


# -- comments --------------------------------------------------------------------------------------


def _comment(session: Session, word: str, target: str, comment: str | None) -> None:
    if comment is not None:
        text = "'" + comment.replace("'", "''") + "'" if comment else "null"
        execution.execute(session, f"comment on {word} {target} is {text}")


def _comment_on(found: re.Match[str], session: Session) -> Answer:
    kind = re.sub(r"\s+", " ", found["kind"].upper())
    comment = text_of(found["text"])
    if kind == "COLUMN":
        *parts, column = split_name(found["name"])
        name = session.complete(parts)
        _comment(
            session, "column", f'{translation.physical_sql(session, name)}."{column}"', comment
        )
    elif kind in ("TABLE", "VIEW", "DYNAMIC TABLE"):
        name = session.name_of(found["name"])
        if translation.columns_of(session, name) is None:
            raise errors.no_such_object("Object", name)
        word = "view" if kind == "VIEW" else "table"
        _comment(session, word, translation.physical_sql(session, name), comment)
    return answers.status("Statement executed successfully.")


def _comment_columns(found: re.Match[str], session: Session) -> Answer:
    """`alter table t alter "A" comment $$..$$, "B" comment $$..$$`: dbt's persist_docs.

    https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
    """
    name = session.name_of(found["name"])
    columns = translation.columns_of(session, name)
    if columns is None:
        raise errors.no_such_object("Object", name)
    target = translation.physical_sql(session, name)
    for part, text in re.findall(
        rf"(?:column\s+)?({NAME_PART})\s+comment\s+({_LITERAL})", found["rest"], re.I | re.S
    ):
        column = split_name(part)[0]
        if column not in columns:
            raise errors.invalid_identifier(part)
        _comment(session, "column", f'{target}."{column}"', text_of(text))
    return answers.status("Statement executed successfully.")


def _accepted(found: re.Match[str], session: Session) -> Answer:
    return answers.status("Statement executed successfully.")


_FLAGS = re.I | re.S
_COMMANDS = [
    (
        re.compile(
            rf"create\s+(?P<replace>or\s+replace\s+)?(?:transient\s+)?database\s+"
            rf"(?P<exists>if\s+not\s+exists\s+)?(?P<name>{NAME})",
            _FLAGS,
        ),
        _create_database,
    ),
    (
        re.compile(
            rf"create\s+(?P<replace>or\s+(?:replace|alter)\s+)?(?:transient\s+)?schema\s+"
            rf"(?P<exists>if\s+not\s+exists\s+)?(?P<name>{NAME})",
            _FLAGS,
        ),
        _create_schema,
    ),
    (
        re.compile(
            rf"drop\s+(?P<kind>table|view|schema|database)\s+(?P<exists>if\s+exists\s+)?"
            rf"(?P<name>{NAME})\s*(?:cascade|restrict)?\s*$",
            _FLAGS,
        ),
        _drop,
    ),
    (
        re.compile(
            rf"comment\s+(?:if\s+exists\s+)?on\s+(?P<kind>(?:\w+\s+)?\w+)\s+(?P<name>{NAME})"
            rf"(?:\s*\([^)]*\))?\s+is\s+(?P<text>{_LITERAL})\s*$",
            _FLAGS,
        ),
        _comment_on,
    ),
    (
        re.compile(
            rf"alter\s+(?:dynamic\s+|iceberg\s+)?(?:table|view)\s+(?P<name>{NAME})\s+"
            rf"(?:alter|modify)\s+(?P<rest>(?:column\s+)?{NAME_PART}\s+comment\s.*)$",
            _FLAGS,
        ),
        _comment_columns,
    ),
    (
        re.compile(
            rf"alter\s+table\s+(?P<name>{NAME})\s+(?:cluster\s+by\b.*|drop\s+clustering\s+key"
            r"|(?:resume|suspend)\s+recluster|(?:un)?set\s+tag\b.*)$",
            _FLAGS,
        ),
        _accepted,
    ),
]
