"""SHOW and DESCRIBE: what is there, in Snowflake's columns.

https://docs.snowflake.com/en/sql-reference/sql/show, and for each kind the page that stands above
it in `KINDS`. The columns that clients read are there; columns that would only hold constants are
left out.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from emulator import answers, errors, execution, staged_files, stages, translation
from emulator.account import ObjectInfo
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, ObjectName, Statement, split_name

Rows = list[dict[str, Any]]
Scope = tuple[str | None, str | None]

_SHOW = re.compile(
    rf"show\s+(?P<terse>terse\s+)?(?P<kind>(?:user\s+|dynamic\s+|file\s+|primary\s+|unique\s+|imported\s+"
    rf"|interactive\s+|materialized\s+|network\s+|resource\s+)?\w+)"
    rf"(?:\s+history)?(?:\s+like\s+'(?P<like>(?:[^']|'')*)')?"
    rf"(?:\s+in\s+(?P<scope>account|(?:(?:database|schema|table|view)\s*)?(?:{NAME})?))?"
    rf"(?:\s+starts\s+with\s+'(?P<starts>[^']*)')?"
    rf"(?:\s+limit\s+(?P<limit>\d+)(?:\s+from\s+'(?P<from>[^']*)')?)?\s*$",
    re.I,
)
_DESCRIBE = re.compile(
    rf"(?:describe|desc)\s+(?:(?:dynamic\s+)?table|view)\s+(?P<name>{NAME})(?:\s+type\s*=\s*\w+)?\s*$",
    re.I,
)
EPOCH = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


def handle(statement: Statement, session: Session) -> Answer | None:
    if found := _DESCRIBE.match(statement.body):
        return _describe(session.name_of(found["name"]), session)
    if not statement.starts_with("SHOW"):
        return None
    found = _SHOW.match(statement.body)
    if not found:
        raise errors.syntax(statement.body[:100])
    kind = re.sub(r"\s+", " ", found["kind"].upper())
    if kind not in KINDS:
        raise errors.syntax(f"unexpected '{kind}'.")
    types, list_rows = KINDS[kind]
    rows = list_rows(session, _scope(found["scope"], session, kind))
    if (like := found["like"]) is not None:
        pattern = re.escape(like.replace("''", "'")).replace("%", ".*").replace("_", ".")
        rows = [row for row in rows if re.fullmatch(pattern, row["name"], re.I | re.S)]
    if (starts := found["starts"]) is not None:
        rows = [row for row in rows if row["name"].startswith(starts)]
    rows.sort(key=lambda row: str(row.get("name")))
    if (after := found["from"]) is not None:
        rows = [row for row in rows if row["name"] > after]
    if (limit := found["limit"]) is not None:
        rows = rows[: int(limit)]
    if found["terse"]:
        kept = ("created_on", "name", "kind", "database_name", "schema_name")
        types = {name: types.get(name, "text") for name in kept}
    return answers.rows(types, [[row.get(name) for name in types] for row in rows])


def _scope(text: str | None, session: Session, kind: str) -> Scope:
    """The database and schema that a SHOW is limited to; None means all."""
    account = session.account
    if text is None:
        return (session.database, None)
    words = text.split(None, 1)
    word = words[0].upper()
    if word == "ACCOUNT" and len(words) == 1:
        return (None, None)
    rest = words[1] if len(words) > 1 else ""
    if word == "DATABASE":
        name = split_name(rest)[0] if rest else session.database
        if name not in account.databases():
            raise errors.no_such_scope()
        return (name, None)
    if word in ("TABLE", "VIEW"):
        name = session.name_of(rest)
        return (name.database, name.schema)
    parts = split_name(rest if word == "SCHEMA" else text)
    if kind == "SCHEMAS" and len(parts) == 1:
        if parts[0] not in account.databases():
            raise errors.no_such_scope()
        return (parts[0], None)
    if not parts:
        return (session.database, session.schema)
    scope = (parts[-2] if len(parts) > 1 else session.database, parts[-1])
    if scope not in account.schemas():
        raise errors.no_such_scope()
    return scope


def _inside(scope: Scope, database: str, schema: str) -> bool:
    return scope[0] in (None, database) and scope[1] in (None, schema)


def _relations(session: Session, scope: Scope) -> Rows:
    found = execution.rows_of(
        session,
        "select database_name, schema_name, table_name, 'TABLE', estimated_size, comment, null "
        "from duckdb_tables() "
        "where database_name not in ('system', 'temp', 'memory', '_fs_global') "
        "union all "
        "select database_name, schema_name, view_name, 'VIEW', null, comment, sql "
        "from duckdb_views() where not internal "
        "and database_name not in ('system', 'temp', 'memory', '_fs_global')",
    )
    rows: Rows = []
    for database, schema, name, kind, size, comment, text in found:
        if schema in ("main", "_fs_information_schema") or not _inside(scope, database, schema):
            continue
        full = ObjectName(database, schema, name)
        if full in session.temporary:
            continue
        info = session.account.info(full)
        rows.append(_relation(full, kind, size, comment, text, info))
    for full, stored in session.temporary.items():
        if _inside(scope, full.database, full.schema):
            is_view = bool(
                execution.rows_of(
                    session,
                    "select 1 from duckdb_views() "
                    f"where temporary and view_name = {answers.literal(stored)}",
                )
            )
            row = _relation(
                full, "VIEW" if is_view else "TABLE", 0, "", "", ObjectInfo("TABLE", EPOCH)
            )
            rows.append({**row, "table_kind": "TEMPORARY"})
    return rows


def _relation(
    full: ObjectName, kind: str, size: int | None, comment: str, text: str | None, info: ObjectInfo
) -> dict[str, Any]:
    return {
        "created_on": info.created_at,
        "name": full.name,
        "database_name": full.database,
        "schema_name": full.schema,
        "kind": kind,
        "table_kind": "TRANSIENT" if info.is_transient else kind,
        "comment": comment or "",
        "cluster_by": info.dynamic.cluster_by if info.dynamic else "",
        "rows": size,
        "bytes": None if size is None else 1024 * size,
        "owner": info.owner,
        "retention_time": "1",
        "owner_role_type": "ROLE",
        "is_hybrid": "N",
        "is_dynamic": "Y" if info.dynamic else "N",
        "is_iceberg": "N",
        "is_interactive": "N",
        "text": text or "",
        "is_secure": "false",
        "is_materialized": "false",
    }


def _objects(session: Session, scope: Scope) -> Rows:
    return _relations(session, scope)


def _tables(session: Session, scope: Scope) -> Rows:
    return [
        {**row, "kind": row["table_kind"]}
        for row in _relations(session, scope)
        if row["kind"] == "TABLE"
    ]


def _views(session: Session, scope: Scope) -> Rows:
    return [row for row in _relations(session, scope) if row["kind"] == "VIEW"]


def _dynamic_tables(session: Session, scope: Scope) -> Rows:
    rows = []
    for row in _relations(session, scope):
        full = ObjectName(row["database_name"], row["schema_name"], row["name"])
        dynamic = session.account.info(full).dynamic
        if dynamic is not None:
            rows.append({**row, **dynamic.shown()})
    return rows


def _schemas(session: Session, scope: Scope) -> Rows:
    return [
        {"created_on": EPOCH, "name": schema, "database_name": database, "schema_name": None,
         "is_default": "N", "is_current": "Y" if schema == session.schema else "N",
         "owner": "SYSADMIN", "comment": "", "options": "", "retention_time": "1"}
        for database, schema in session.account.schemas()
        if scope[0] in (None, database)
    ]  # fmt: skip


def _databases(session: Session, scope: Scope) -> Rows:
    return [
        {"created_on": EPOCH, "name": name, "is_default": "N",
         "is_current": "Y" if name == session.database else "N", "origin": "",
         "owner": "SYSADMIN", "comment": "", "options": "", "retention_time": "1",
         "kind": "STANDARD"}
        for name in session.account.databases()
    ]  # fmt: skip


def _warehouses(session: Session, scope: Scope) -> Rows:
    names = session.account.warehouses
    if names is None:
        current = {session.warehouse} if session.warehouse else set()
        names = session.account.made_warehouses | current
    return [
        {"name": name, "state": "STARTED", "type": "STANDARD", "size": "X-Small",
         "is_default": "N", "is_current": "Y" if name == session.warehouse else "N",
         "auto_suspend": 60, "auto_resume": "true", "created_on": EPOCH, "owner": "SYSADMIN",
         "comment": ""}
        for name in names
    ]  # fmt: skip


def _roles(session: Session, scope: Scope) -> Rows:
    names = session.account.roles or {session.role, "ACCOUNTADMIN", "SYSADMIN", "PUBLIC"}
    return [
        {"created_on": EPOCH, "name": name, "is_default": "N",
         "is_current": "Y" if name == session.role else "N", "owner": "USERADMIN", "comment": ""}
        for name in names
    ]  # fmt: skip


def _columns(session: Session, scope: Scope) -> Rows:
    rows: Rows = []
    for name, columns in session.account.columns().items():
        if _inside(scope, name.database, name.schema):
            rows += [
                {"table_name": name.name, "schema_name": name.schema, "name": column,
                 "column_name": column, "database_name": name.database, "kind": "COLUMN"}
                for column in columns
            ]  # fmt: skip
    return rows


def _functions(session: Session, scope: Scope) -> Rows:
    return [
        {"created_on": EPOCH, "name": name.name, "schema_name": name.schema,
         "catalog_name": name.database, "is_builtin": "N", "is_aggregate": "N", "is_ansi": "N",
         "min_num_arguments": len(one.parameters), "max_num_arguments": len(one.parameters),
         "arguments": one.signature, "description": "user-defined function", "language": "PYTHON"}
        for store in (session.account.functions, session.functions)
        for name, overloads in store.items()
        for one in overloads
        if _inside(scope, name.database, name.schema)
    ]  # fmt: skip


def _procedures(session: Session, scope: Scope) -> Rows:
    return [
        {"created_on": EPOCH, "name": name.name, "schema_name": name.schema,
         "catalog_name": name.database, "is_builtin": "N", "arguments": f"{name.name}()",
         "description": "user-defined procedure"}
        for name in session.account.procedures
        if _inside(scope, name.database, name.schema)
    ]  # fmt: skip


def _stages(session: Session, scope: Scope) -> Rows:
    return [
        row
        for row in stages.shown(session)
        if _inside(scope, row["database_name"], row["schema_name"])
    ]


def _file_formats(session: Session, scope: Scope) -> Rows:
    return [
        {"created_on": EPOCH, "name": name.name, "database_name": name.database,
         "schema_name": name.schema, "type": options.get("TYPE", "CSV"), "owner": "SYSADMIN",
         "comment": "", "format_options": "", "owner_role_type": "ROLE"}
        for name, options in (staged_files.kept_formats(session) | session.file_formats).items()
        if _inside(scope, name.database, name.schema)
    ]  # fmt: skip


def _nothing(session: Session, scope: Scope) -> Rows:
    return []


def _text(*names: str, **types: str) -> dict[str, str]:
    return {"created_on": "timestamp_ltz", **dict.fromkeys(names, "text"), **types}


_RELATION = ("name", "database_name", "schema_name", "kind", "comment", "cluster_by")
_FLAGS = ("owner", "retention_time", "owner_role_type", "is_hybrid", "is_dynamic", "is_iceberg")
_SIZE = {"rows": "fixed", "bytes": "fixed"}
_ROUTINE = (
    "name", "schema_name", "is_builtin", "is_aggregate", "is_ansi", "arguments", "description",
    "catalog_name", "language",
)  # fmt: skip

KINDS: dict[str, tuple[dict[str, str], Callable[[Session, Scope], Rows]]] = {
    # https://docs.snowflake.com/en/sql-reference/sql/show-objects
    "OBJECTS": (
        _text(*_RELATION, **_SIZE) | dict.fromkeys((*_FLAGS, "is_interactive"), "text"),
        _objects,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-tables
    "TABLES": (_text(*_RELATION, **_SIZE) | dict.fromkeys(_FLAGS, "text"), _tables),
    # https://docs.snowflake.com/en/sql-reference/sql/show-views
    "VIEWS": (
        _text("name", "kind", "database_name", "schema_name", "owner", "comment", "text",
              "is_secure", "is_materialized", "owner_role_type"),
        _views,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-dynamic-tables
    "DYNAMIC TABLES": (
        _text("name", "database_name", "schema_name", "cluster_by", **_SIZE)
        | _text("owner", "target_lag", "scheduler", "refresh_mode", "refresh_mode_reason",
                "warehouse", "initialization_warehouse", "comment", "text",
                "automatic_clustering", "scheduling_state", last_suspended_on="timestamp_ltz",
                is_clone="text", is_replica="text", is_iceberg="text",
                data_timestamp="timestamp_ltz", owner_role_type="text", immutable_where="text"),
        _dynamic_tables,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-interactive-tables
    "INTERACTIVE TABLES": (_text("name", "database_name", "schema_name"), _nothing),
    # https://docs.snowflake.com/en/sql-reference/sql/show-schemas
    "SCHEMAS": (
        _text("name", "is_default", "is_current", "database_name", "owner", "comment", "options",
              "retention_time"),
        _schemas,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-databases
    "DATABASES": (
        _text("name", "is_default", "is_current", "origin", "owner", "comment", "options",
              "retention_time", "kind"),
        _databases,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-warehouses
    "WAREHOUSES": (
        {**dict.fromkeys(("name", "state", "type", "size", "is_default", "is_current"), "text"),
         "auto_suspend": "fixed", "auto_resume": "text", "created_on": "timestamp_ltz",
         "owner": "text", "comment": "text"},
        _warehouses,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-roles
    "ROLES": (_text("name", "is_default", "is_current", "owner", "comment"), _roles),
    # https://docs.snowflake.com/en/sql-reference/sql/show-columns
    "COLUMNS": (
        dict.fromkeys(
            ("table_name", "schema_name", "column_name", "database_name", "kind"), "text"
        ),
        _columns,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-user-functions
    "USER FUNCTIONS": (
        _text(*_ROUTINE, min_num_arguments="fixed", max_num_arguments="fixed"),
        _functions,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-functions
    "FUNCTIONS": (_text(*_ROUTINE), _functions),
    # https://docs.snowflake.com/en/sql-reference/sql/show-stages
    "STAGES": (
        _text("name", "database_name", "schema_name", "url", "has_credentials",
              "has_encryption_key", "owner", "comment", "type"),
        _stages,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-file-formats
    "FILE FORMATS": (
        _text("name", "database_name", "schema_name", "type", "owner", "comment",
              "format_options", "owner_role_type"),
        _file_formats,
    ),
    # https://docs.snowflake.com/en/sql-reference/sql/show-procedures
    "PROCEDURES": (_text(*_ROUTINE), _procedures),
    # https://docs.snowflake.com/en/sql-reference/sql/show-user-procedures
    "USER PROCEDURES": (_text(*_ROUTINE), _procedures),
}  # fmt: skip


# -- DESCRIBE --------------------------------------------------------------------------------------


def _describe(name: ObjectName, session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/desc-table"""
    if translation.columns_of(session, name) is None:
        kind = "Table" if name.schema != "INFORMATION_SCHEMA" else "View"
        raise errors.no_such_object(kind, name)
    database, schema, stored = translation.physical(session, name)
    found = execution.rows_of(
        session,
        "select column_name, data_type, is_nullable, column_default, comment from duckdb_columns() "
        f"where database_name = {answers.literal(database)} "
        f"and schema_name = {answers.literal(schema)} "
        f"and table_name = {answers.literal(stored)} order by column_index",
    )
    lengths = session.account.info(name).text_lengths if name not in session.temporary else {}
    types = dict.fromkeys(
        ("name", "type", "kind", "null?", "default", "primary key", "unique key", "check",
         "expression", "comment", "policy name", "privacy domain"),
        "text",
    )  # fmt: skip
    rows = [
        (column, type_name(kind, lengths.get(column)), "COLUMN", "Y" if nullable else "N", default,
         "N", "N", None, None, comment, None, None)
        for column, kind, nullable, default, comment in found
    ]  # fmt: skip
    return answers.rows(types, rows)


def type_name(duckdb_type: str, length: int | None = None) -> str:
    """How DESCRIBE writes the type of a column."""
    column = answers.Column.of_duckdb("", duckdb_type)
    if column.type == "fixed":
        return f"NUMBER({column.precision},{column.scale})"
    return {
        "text": f"VARCHAR({length or answers.MAX_TEXT})",
        "real": "FLOAT",
        "timestamp_ntz": "TIMESTAMP_NTZ(9)",
        "timestamp_tz": "TIMESTAMP_TZ(9)",
        "time": "TIME(9)",
        "binary": "BINARY(8388608)",
    }.get(column.type, column.type.upper())
