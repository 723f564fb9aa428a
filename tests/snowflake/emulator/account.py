"""What all sessions share: databases, objects and what is known of them, the statement log."""

from __future__ import annotations

import dataclasses
import datetime
import json
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakesnow import info_schema, macros
from fakesnow.instance import FakeSnow

from emulator import cortex, errors, information_schema
from emulator.statements import ObjectName

# A privilege, the kind of whoever holds it, and the name.
Grant = tuple[str, str, str]

warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", module=".*")


@dataclasses.dataclass
class Options:
    """How strict the account is. None accepts every name."""

    databases: tuple[str, ...] = ("ANALYTICS",)
    warehouses: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    password: str | None = None
    refused: tuple[str, ...] = ()
    packages: Path | None = None
    procedure_seconds: float = 600.0
    has_cortex: bool = True
    limits: Path | None = None


@dataclasses.dataclass
class ObjectInfo:
    """What DuckDB does not know of a table or view."""

    kind: str
    created_at: datetime.datetime
    is_transient: bool = False
    owner: str = "SYSADMIN"
    text_lengths: dict[str, int] = dataclasses.field(default_factory=dict)
    dynamic: Any = None
    loaded: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    # What a view reads, for the upstream of a dynamic table.
    reads: set[ObjectName] = dataclasses.field(default_factory=set)


class Account:
    """One account, in memory, for as long as the process lives."""

    def __init__(self, options: Options, log: Path | None = None) -> None:
        self.options = options
        self.fakesnow = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
        # Functions are registered here: DuckDB drops them with the connection that made them.
        self.root = self.fakesnow.duck_conn
        self.metadata = self.root.cursor()
        self.metadata.execute(information_schema.GLOBAL_SQL)
        # Statements run one at a time: two sessions that write the same catalog would conflict in
        # DuckDB, and two cores gain little. A procedure lets go of it while its body runs.
        self.lock = threading.Lock()
        self.sessions: dict[str, Any] = {}
        self.objects: dict[ObjectName, ObjectInfo] = {}
        self.grants: dict[tuple[str, str], set[Grant]] = {}
        # What whoever is granted of objects to come, by schema and kind of object.
        self.future_grants: dict[tuple[str, str, str], set[Grant]] = {}
        self.functions: dict[ObjectName, list[Any]] = {}
        self.procedures: dict[ObjectName, Any] = {}
        self.warehouses: set[str] | None = set(options.warehouses) if options.warehouses else None
        # Seconds that a statement may take, by warehouse.
        self.statement_timeouts: dict[str, int] = {}
        # Those that were made in an account that takes any name, for SHOW.
        self.made_warehouses: set[str] = set()
        self.roles: set[str] | None = set(options.roles) if options.roles else None
        self.extras: dict[str, Any] = {}
        # Of the statement that runs, those of statements of its procedure left out.
        self.cortex_calls = 0
        self.notifications: list[dict[str, Any]] = []
        # The Python functions of the statement that runs: one may have failed, with a traceback.
        self.called: list[Any] = []
        self.closers: list[Any] = []
        self._names: dict[ObjectName, list[str]] | None = None
        self._log = log.open("a", encoding="utf-8") if log else None
        self._log_lock = threading.Lock()
        if options.has_cortex:
            cortex.register(self)
        for database in options.databases:
            self.create_database(database)

    def close(self) -> None:
        for closer in self.closers:
            closer()

    def write_log(self, entry: dict[str, Any]) -> None:
        if self._log:
            with self._log_lock:
                self._log.write(json.dumps(entry) + "\n")
                self._log.flush()

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let other statements run while this one waits."""
        calls = self.cortex_calls
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()
            self.cortex_calls = calls

    def take_failure(self) -> errors.SnowflakeError | None:
        """The exception of a Python function that made DuckDB fail."""
        failed: errors.SnowflakeError | None = None
        for caller in self.called:
            failed, caller.failed = failed or caller.failed, None
        return failed

    # -- databases -----------------------------------------------------------------------------

    def databases(self) -> list[str]:
        found = self.metadata.execute(
            "select database_name from duckdb_databases() where not internal "
            "and database_name not in ('memory', '_fs_global') order by 1"
        ).fetchall()
        return [name for (name,) in found]

    def schemas(self) -> set[tuple[str, str]]:
        found = self.metadata.execute(
            "select database_name, schema_name from duckdb_schemas() where not internal"
        ).fetchall()
        return {
            (database, "INFORMATION_SCHEMA" if schema == "_fs_information_schema" else schema)
            for database, schema in found
            if schema != "main"
        }

    def create_database(self, name: str) -> None:
        """A new database has the schemas PUBLIC and INFORMATION_SCHEMA.

        https://docs.snowflake.com/en/sql-reference/sql/create-database
        """
        self.metadata.execute(f"attach ':memory:' as \"{name}\"")
        quoted = f'"{name}"'
        self.metadata.execute(
            info_schema.per_db_creation_sql(quoted).replace(f"'{quoted}'", f"'{name}'")
        )
        self.metadata.execute(macros.creation_sql(quoted))
        self.metadata.execute(information_schema.views_sql(name))
        self.metadata.execute(f'create schema "{name}"."PUBLIC"')
        self.changed()

    # -- tables and views ----------------------------------------------------------------------

    def changed(self) -> None:
        """The catalog is another one now."""
        self._names = None

    def columns(self) -> dict[ObjectName, list[str]]:
        """Every table and view that is not temporary, with its columns."""
        if self._names is None:
            found = self.metadata.execute(
                "select database_name, schema_name, table_name, "
                "list(column_name order by column_index) "
                "from duckdb_columns() where not internal "
                "and database_name not in ('system', 'temp', 'memory', '_fs_global') "
                "and schema_name not in ('main', '_fs_information_schema') group by all"
            ).fetchall()
            self._names = {ObjectName(*row[:3]): row[3] for row in found}
        return self._names

    def exists(self, name: ObjectName) -> bool:
        return name in self.columns()

    def require_schema(self, name: ObjectName) -> None:
        if (name.database, name.schema) not in self.schemas():
            raise errors.compilation(
                f"Schema '{name.database}.{name.schema}' does not exist or not authorized.",
                2003,
                "02000",
            )

    def record(self, name: ObjectName, info: ObjectInfo, grants: set[Grant] | None = None) -> None:
        """A new object, or one that takes another's place.

        Unless it brings grants, it has those on objects to come, and none of what it replaces:
        https://docs.snowflake.com/en/release-notes/bcr-bundles/2026_08/bcr-2433
        """
        self.forget(name)
        self.objects[name] = info
        if grants is None:
            grants = self.future_grants.get((name.database, name.schema, info.kind), set())
        self.grants["TABLE", str(name)] = set(grants)
        self.metadata.execute(
            "insert into _fs_global.emulator.objects values (?, ?, ?, ?, ?, ?)",
            [*name, info.dynamic is not None, info.is_transient, info.created_at],
        )
        self.changed()

    def forget(self, name: ObjectName) -> None:
        self.objects.pop(name, None)
        self.grants.pop(("TABLE", str(name)), None)
        self.metadata.execute(
            "delete from _fs_global.emulator.objects "
            "where database = ? and schema = ? and name = ?",
            list(name),
        )
        self.changed()

    def forget_scope(self, database: str, schema: str | None = None) -> None:
        """Forget what a dropped schema or database held."""
        for place in [p for p in self.future_grants if (database, schema or p[1]) == p[:2]]:
            del self.future_grants[place]
        for store in (self.objects, self.functions, self.procedures):
            for name in [n for n in store if n.database == database and schema in (None, n.schema)]:
                if store is self.objects:
                    self.forget(name)
                else:
                    del store[name]
        self.changed()

    def info(self, name: ObjectName) -> ObjectInfo:
        found = self.objects.get(name)
        return found or ObjectInfo("TABLE", datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC))
