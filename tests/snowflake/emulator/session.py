"""What one session owns: where it is, what it may use, its temporary objects, its transaction."""

from __future__ import annotations

import itertools
import uuid
from collections import OrderedDict
from typing import Any

from emulator import errors
from emulator.account import Account
from emulator.answers import Answer
from emulator.statements import ObjectName, Statement, split_name

_numbers = itertools.count(1)


class Session:
    """A session of a user. A procedure's body runs in the session that called it."""

    def __init__(
        self,
        account: Account,
        *,
        user: str = "TESTER",
        role: str | None = None,
        warehouse: str | None = None,
        database: str | None = None,
        schema: str | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        self.account = account
        self.id = next(_numbers)
        self.user = user
        self.role = role or "SYSADMIN"
        self.warehouse = warehouse
        self.parameters = {key.upper(): value for key, value in (parameters or {}).items()}
        self.temporary: dict[ObjectName, str] = {}
        self.functions: dict[ObjectName, list[Any]] = {}
        self.file_formats: dict[ObjectName, dict[str, Any]] = {}
        self.in_transaction = False
        self.procedure_depth = 0
        self.cortex_calls = 0
        self.results: OrderedDict[str, Answer] = OrderedDict()
        self.closers: list[Any] = []
        self.conn = account.fakesnow.connect(None, None)
        self.duck = self.conn._duck_conn
        if database in account.databases():
            self.use(database)
            if schema is not None and (database, schema) in account.schemas():
                self.use(database, schema)
            elif schema is not None:
                self.conn.schema_set = False

    # -- where it is ---------------------------------------------------------------------------

    @property
    def database(self) -> str | None:
        return self.conn.database if self.conn.database_set else None

    @property
    def schema(self) -> str | None:
        return self.conn.schema if self.conn.schema_set else None

    def use(self, database: str, schema: str | None = None) -> None:
        """Make a database and schema current. A database alone makes its PUBLIC schema current.

        https://docs.snowflake.com/en/sql-reference/sql/use-database
        """
        if database not in self.account.databases():
            raise errors.no_such_scope()
        if schema is None and (database, "PUBLIC") in self.account.schemas():
            schema = "PUBLIC"
        if schema is not None and (database, schema) not in self.account.schemas():
            raise errors.no_such_scope()
        stored = "_fs_information_schema" if schema == "INFORMATION_SCHEMA" else schema
        self.duck.execute(f'set schema=\'"{database}"."{stored or "main"}"\'')
        self.conn.database = database
        self.conn.database_set = True
        self.conn._schema = schema
        self.conn.schema_set = schema is not None

    def name_of(self, text: str) -> ObjectName:
        """A dotted name as it is written, completed with the current database and schema."""
        return self.complete(split_name(text))

    def complete(self, parts: list[str]) -> ObjectName:
        database, schema, name = ([None] * (3 - len(parts)) + list(parts))[-3:]
        database, schema = database or self.database, schema or self.schema
        if database is None:
            raise errors.SnowflakeError(
                "Cannot perform operation. This session does not have a current database. "
                "Call 'USE DATABASE', or use a qualified name.",
                90105,
                "22000",
            )
        if schema is None:
            raise errors.SnowflakeError(
                "Cannot perform operation. This session does not have a current schema. "
                "Call 'USE SCHEMA', or use a qualified name.",
                90106,
                "22000",
            )
        return ObjectName(database, schema, str(name))

    # -- statements ----------------------------------------------------------------------------

    def run(self, sql: str) -> Answer:
        """Run another statement of this session. It is not written to the log."""
        from emulator.handlers import answer  # noqa: PLC0415 (handlers import this module)

        return answer(Statement(sql), self)

    def keep(self, query_id: str, answer: Answer) -> None:
        """Keep a result for RESULT_SCAN and for clients that ask for it again."""
        self.results[query_id] = answer
        while len(self.results) > 50:
            self.results.popitem(last=False)

    # -- transactions --------------------------------------------------------------------------

    def begin(self) -> None:
        if not self.in_transaction:
            self.duck.execute("begin transaction")
            self.in_transaction = True

    def commit(self) -> None:
        """End the transaction. Every DDL statement does so too, before it runs.

        https://docs.snowflake.com/en/sql-reference/transactions
        """
        if self.in_transaction:
            self.in_transaction = False
            self.duck.execute("commit")

    def rollback(self) -> None:
        if self.in_transaction:
            self.in_transaction = False
            self.duck.execute("rollback")

    def close(self) -> None:
        """Drop what was temporary: DuckDB's own temporary tables go with the connection."""
        for closer in self.closers:
            closer()
        self.rollback()
        self.duck.close()


def new_query_id() -> str:
    return str(uuid.uuid4())
