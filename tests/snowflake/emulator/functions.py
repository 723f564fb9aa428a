"""Python functions that SQL calls: each batch of rows goes to a process of the function's own.

https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-introduction. DuckDB calls them
with at most 2,048 rows, "up to a few thousand" as Snowflake does
(https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch).
"""

from __future__ import annotations

import inspect
import itertools
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from sqlglot import exp

from emulator import answers, cortex, errors, limits, notifications, routines, sandbox
from emulator.account import Account
from emulator.answers import Answer
from emulator.routines import Routine
from emulator.session import Session
from emulator.statements import NAME, ObjectName, Statement

_CREATE = re.compile(
    rf"create\s+(?P<replace>or\s+replace\s+)?(?P<temporary>temp(?:orary)?\s+)?(?:secure\s+)?(?P<kind>aggregate\s+)?"
    rf"function\s+(?P<exists>if\s+not\s+exists\s+)?(?P<name>{NAME})\s*(?P<definition>\(.*)$",
    re.I | re.S,
)
_DROP = re.compile(
    rf"drop\s+function\s+(?P<exists>if\s+exists\s+)?(?P<name>{NAME})\s*(?:\((?P<types>[^()]*(?:\([^()]*\)[^()]*)*)\))?\s*$",
    re.I,
)
_numbers = itertools.count(1)

# Types of SQL: (what the sandbox calls it, precision, scale) and DuckDB's type.
Kind = tuple[str, int, int]


def kind_of(type_: str) -> tuple[Kind, str]:
    """What a type of an argument or result is called in the sandbox and in DuckDB."""
    text = re.sub(r"\s+", " ", type_.strip().lower())
    found = re.fullmatch(r"([a-z_ 0-9]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", text)
    if not found:
        raise errors.compilation(f"Unsupported data type '{type_.upper()}'.", 2040, "42601")
    name, first, second = found[1].strip(), found[2], found[3]
    if name in ("number", "decimal", "numeric") and first is not None:
        scale = int(second or 0)
        if scale:
            return ("fixed", int(first), scale), f"DECIMAL({first},{scale})"
        return ("fixed", int(first), 0), "BIGINT"
    if name in (
        "number",
        "decimal",
        "numeric",
        "int",
        "integer",
        "bigint",
        "smallint",
        "tinyint",
        "byteint",
    ):
        return ("fixed", 38, 0), "BIGINT"
    for names, kind, duckdb_type in _TYPES:
        if name in names:
            return (kind, 0, 0), duckdb_type
    raise errors.compilation(f"Unsupported data type '{type_.upper()}'.", 2040, "42601")


_TYPES = [
    (("float", "float4", "float8", "double", "double precision", "real"), "real", "DOUBLE"),
    (("varchar", "string", "text", "char", "character"), "text", "VARCHAR"),
    (("boolean",), "boolean", "BOOLEAN"),
    (("date",), "date", "DATE"),
    (("timestamp", "timestamp_ntz", "datetime"), "timestamp", "TIMESTAMP"),
    (("binary", "varbinary"), "binary", "BLOB"),
    (("variant", "object", "array"), "variant", "VARCHAR"),
]


@dataclass
class Function:
    """A Python function, registered with DuckDB under a name that is used once."""

    routine: Routine
    parameters: list[tuple[str, str]]
    signature: str
    registered: str
    kinds: list[Kind]
    duckdb_types: list[str]
    returns: Kind
    caller: Caller = field(repr=False)


class Caller:
    """Sends batches to the process of a function, which starts with the first one."""

    def __init__(
        self, account: Account, routine: Routine, kinds: list[Kind], returns: Kind
    ) -> None:
        self._account = account
        self._routine = routine
        self._kinds = kinds
        self._returns = returns
        self._connection: socket.socket | None = None
        self._largest: int | None = None
        self._rows = 0
        self._marks: list[tuple[str, int]] = []
        self._lock = threading.Lock()
        self.failed: errors.SnowflakeError | None = None

    def __call__(self, *columns: pa.ChunkedArray) -> pa.Array:
        with self._lock:
            self._connect()
            given = [
                column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
                for column in columns
            ]
            rows = len(given[0])
            step = min(self._largest or rows, rows) or 1
            parts = [
                self._call([column.slice(start, step) for column in given])
                for start in range(0, rows, step)
            ]
            return pa.concat_arrays(parts)

    def _call(self, columns: list[pa.Array]) -> pa.Array:
        assert self._connection is not None
        self._rows += len(columns[0])
        try:
            limits.check_memory(self._account, self._rows)
        except errors.SnowflakeError as exhausted:
            self.failed = exhausted
            raise
        try:
            sandbox.send(self._connection, columns)
            reply = sandbox.receive(self._connection)
        except (OSError, EOFError) as error:
            self.close()
            reply = {"error": f"Process ended: {error}"}
        if "error" in reply:
            self.failed = sandbox.failure(reply["error"], self._routine.name, self._routine.handler)
            raise self.failed
        return reply["result"]

    def _connect(self) -> None:
        """Start the process; start it anew where a staged file is another one now."""
        marks = [
            (str(place), place.stat().st_mtime_ns)
            for place in self._routine.imports
            if place.exists()
        ]
        if self._connection is not None and marks == self._marks:
            return
        self.close()
        self._marks = marks
        request = {
            "kind": "function",
            "body": self._routine.body,
            "handler": self._routine.handler,
            "modules": self._routine.modules,
            "imports": [str(place) for place in self._routine.imports],
            "types": self._kinds,
            "returns": self._returns,
        }
        # "must execute within a time limit, which is 180 seconds" for each batch.
        self._connection = sandbox.of(self._account).open(request, 180.0)
        reply = sandbox.receive(self._connection)
        if "error" in reply:
            self.close()
            self.failed = sandbox.failure(reply["error"], self._routine.name, self._routine.handler)
            raise self.failed
        self._largest = reply["max_batch_size"]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def handle(statement: Statement, session: Session) -> Answer | None:
    if "FUNCTION" not in statement.words[:6]:
        return None
    if found := _CREATE.match(statement.body):
        return _create(found, session)
    if found := _DROP.match(statement.body):
        return _drop(found, session)
    return None


def _create(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/create-function"""
    session.commit()
    name = session.name_of(found["name"])
    session.account.require_schema(name)
    routine = routines.parse(found["definition"], name.name, session)
    if routine.language != "PYTHON" or found["kind"] or routine.returns.startswith("table"):
        raise errors.SnowflakeError(
            f"The emulator runs scalar functions in Python only: {name}.", 300001, "0A000"
        )
    store = session.functions if found["temporary"] else session.account.functions
    same = [other for other in store.get(name, []) if _types(other.routine) == _types(routine)]
    if same and not found["replace"]:
        if found["exists"]:
            return answers.status(f"{name.name} already exists, statement succeeded.")
        raise errors.already_exists(name)
    for other in same:
        _forget(other, store[name])
    owner = str(session.id) if found["temporary"] else ""
    function = _register(f"{owner}:{name}", routine, session.account)
    store.setdefault(name, []).append(function)
    if found["temporary"]:
        session.closers.append(lambda: _forget(function, store.get(name, [])))
    return answers.status(f"Function {name.name} successfully created.")


def _types(routine: Routine) -> list[str]:
    """https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-naming-conventions"""
    return [kind_of(type_)[1] for _, type_ in routine.parameters]


def _register(key: str, routine: Routine, account: Account) -> Function:
    """Register a function with DuckDB, or point the registered one at a new definition.

    A view that calls a function goes on calling it when the function is replaced.
    """
    sandbox.of(account).start_soon()
    pairs = [kind_of(type_) for _, type_ in routine.parameters]
    kinds = [kind for kind, _ in pairs]
    # DuckDB tells the number of rows by the columns: a function without arguments gets one.
    types = [duckdb_type for _, duckdb_type in pairs] or ["BIGINT"]
    returns, returned = kind_of(routine.returns)
    caller = Caller(account, routine, kinds, returns)
    account.closers.append(caller.close)
    known: dict[tuple[str, ...], tuple[str, list[Caller]]] = account.extras.setdefault(
        "registered", {}
    )
    place = (key, *types, returned)
    if place not in known:
        current = [caller]
        registered = f"emulator_function_{next(_numbers)}"
        known[place] = (registered, current)
        account.root.create_function(
            registered,
            with_arity(current, len(types)),
            types,
            returned,
            type="arrow",
            null_handling="special",
            side_effects=True,
        )
    registered, current = known[place]
    current[0] = caller
    return Function(
        routine, routine.parameters, routine.signature, registered, kinds, types, returns, caller
    )


def with_arity(function: Callable[..., Any] | list[Caller], count: int) -> Callable[..., Any]:
    """The function, or the one that a list holds now, with a signature that DuckDB can count."""

    def call(*columns: Any) -> Any:
        current = function[0] if isinstance(function, list) else function
        return current(*columns)

    # inspect.signature() looks for this attribute; mypy knows no attributes of functions.
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(f"a{place}", inspect.Parameter.POSITIONAL_ONLY)
            for place in range(count)
        ]
    )
    return call


def _forget(function: Function, overloads: list[Function]) -> None:
    if function in overloads:
        overloads.remove(function)
    function.caller.close()


def _drop(found: re.Match[str], session: Session) -> Answer:
    session.commit()
    name = session.name_of(found["name"])
    for store in (session.functions, session.account.functions):
        for function in list(store.get(name, [])):
            wanted = [
                kind_of(part)[1] for part in (found["types"] or "").split(",") if part.strip()
            ]
            if found["types"] is None or wanted == _types(function.routine):
                _forget(function, store[name])
                if not store[name]:
                    del store[name]
                return answers.status(f"{name.name} successfully dropped.")
    if not found["exists"]:
        raise errors.no_such_object("Function", name)
    return answers.status("Drop statement executed successfully (already dropped).")


# -- calls -----------------------------------------------------------------------------------------


def rewrite_calls(tree: exp.Expression, session: Session) -> exp.Expression:
    """Put the registered function in place of each call; the name may be qualified."""
    nodes = [
        node for node in tree.dfs() if isinstance(node, (exp.Anonymous, exp.Dot, *cortex.TYPES))
    ]
    for node in reversed(nodes):
        if (
            isinstance(node, exp.Anonymous)
            and isinstance(node.parent, exp.Dot)
            and node.arg_key == "expression"
        ):
            continue
        parts, call = _called(node)
        if call is None:
            continue
        new = (
            cortex.call(parts, call, session)
            or notifications.call(parts, call)
            or _call(parts, call, session)
        )
        if new is None:
            continue
        if node is tree:
            tree = new
        else:
            node.replace(new)
    return tree


def _called(node: exp.Expression) -> tuple[list[str], exp.Expression | None]:
    """The parts of the name, and the call itself."""
    if isinstance(node, exp.Dot):
        if isinstance(node.parent, exp.Dot) or not isinstance(node.expression, exp.Func):
            return [], None
        names = (
            [part.name for part in node.this.flatten()]
            if isinstance(node.this, exp.Dot)
            else [node.this.name]
        )
        return [*names, _name(node.expression)], node.expression
    return [_name(node)], node


def _name(call: exp.Expression) -> str:
    name = str(call.this if isinstance(call, exp.Anonymous) else call.sql_name())
    return name[1:-1] if name.startswith('"') else name.upper()


def _call(parts: list[str], call: exp.Expression, session: Session) -> exp.Expression | None:
    if session.database is None and len(parts) < 3:
        return None
    if session.schema is None and len(parts) < 2:
        return None
    if len(parts) > 3 or not isinstance(call, exp.Anonymous):
        return None
    name = session.complete(parts)
    overloads = session.functions.get(ObjectName(*name)) or session.account.functions.get(
        ObjectName(*name)
    )
    if not overloads:
        return None
    count = len(call.expressions)
    function = next((one for one in overloads if len(one.parameters) == count), None)
    if function is None:
        raise errors.compilation(
            f"Invalid argument types for function '{name.name}': {count} given", 1044, "42P13"
        )
    arguments = [
        _argument(given, kind, duckdb_type)
        for given, kind, duckdb_type in zip(
            call.expressions, function.kinds, function.duckdb_types, strict=False
        )
    ] or [exp.Literal.number(1)]
    session.account.called.append(function.caller)
    result: exp.Expression = exp.Anonymous(this=function.registered, expressions=arguments)
    if function.returns[0] == "variant":
        result = exp.cast(result, "json")
    return result


def _argument(given: exp.Expression, kind: Kind, duckdb_type: str) -> exp.Expression:
    if kind[0] == "variant":
        return exp.cast(exp.Anonymous(this="to_json", expressions=[given.copy()]), "varchar")
    return exp.Cast(this=given.copy(), to=exp.DataType.build(duckdb_type, dialect="duckdb"))
