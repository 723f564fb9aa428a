"""Stored and anonymous procedures in Python.

https://docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-overview
"""

from __future__ import annotations

import re
from typing import Any

from emulator import answers, errors, routines, sandbox
from emulator.answers import Answer
from emulator.routines import Routine
from emulator.session import Session
from emulator.statements import NAME, ObjectName, Statement, split_name

_ANONYMOUS = re.compile(
    rf"with\s+(?P<name>{NAME})\s+as\s+procedure\s*(?P<definition>\(.*)\bcall\s+(?P<called>{NAME})\s*"
    r"\((?P<arguments>[^()]*)\)\s*$",
    re.I | re.S,
)
_CREATE = re.compile(
    rf"create\s+(?P<replace>or\s+replace\s+)?(?:temp(?:orary)?\s+|secure\s+)*procedure\s+"
    rf"(?P<exists>if\s+not\s+exists\s+)?(?P<name>{NAME})\s*(?P<definition>\(.*)$",
    re.I | re.S,
)
_CALL = re.compile(rf"call\s+(?P<name>{NAME})\s*\((?P<arguments>.*)\)\s*$", re.I | re.S)
_DROP = re.compile(
    rf"drop\s+procedure\s+(?P<exists>if\s+exists\s+)?(?P<name>{NAME})\s*(?:\([^()]*\))?\s*$", re.I
)


def handle(statement: Statement, session: Session) -> Answer | None:
    if statement.starts_with("WITH") and "PROCEDURE" in statement.words[:5]:
        found = _ANONYMOUS.match(statement.body)
        if not found:
            raise errors.syntax(statement.body[:100])
        name = split_name(found["name"])[-1]
        return _call(
            routines.parse(found["definition"], name, session), found["arguments"], session
        )
    if found := _CREATE.match(statement.body):
        return _create(found, session)
    if found := _DROP.match(statement.body):
        session.commit()
        full = session.name_of(found["name"])
        if session.account.procedures.pop(full, None) is None and not found["exists"]:
            raise errors.no_such_object("Procedure", full)
        return answers.status(f"{full.name} successfully dropped.")
    if found := _CALL.match(statement.body):
        return _call(_find(session, found["name"]), found["arguments"], session)
    return None


def _create(found: re.Match[str], session: Session) -> Answer:
    session.commit()
    name = session.name_of(found["name"])
    session.account.require_schema(name)
    if name in session.account.procedures and not found["replace"]:
        if found["exists"]:
            return answers.status(f"{name.name} already exists, statement succeeded.")
        raise errors.already_exists(name)
    session.account.procedures[name] = routines.parse(found["definition"], name.name, session)
    return answers.status(f"Function {name.name} successfully created.")


def _find(session: Session, text: str) -> Routine:
    parts = split_name(text)
    if parts[0].startswith("SYSTEM$"):
        return Routine(parts[0], [], "varchar", "SQL", "", "")
    name = session.complete(parts)
    found: Routine | None = session.account.procedures.get(ObjectName(*name))
    if found is None:
        raise errors.compilation(f"Unknown user-defined function {name}.", 2141, "42601")
    return found


def _call(routine: Routine, arguments: str, session: Session) -> Answer:
    if routine.language != "PYTHON":
        return answers.rows({routine.name: "text"}, [(None,)], answers.SELECT)
    values = _values(arguments, session)
    missing = len(routine.parameters) - len(values)
    if 0 < missing <= len(routine.defaults):
        values += _values(", ".join(routine.defaults[-missing:]), session)
    if len(values) != len(routine.parameters):
        raise errors.compilation(
            f"Invalid argument types for function '{routine.name}'", 1044, "42P13"
        )
    result = _run(routine, values, session)
    column = answers.Column.of(routine.name, _kind(routine.returns))
    value = result if column.type != "text" or result is None else str(result)
    answer = answers.rows({routine.name: column.type}, [(value,)], answers.SELECT)
    answer.columns = [column]
    return answer


def _values(expressions: str, session: Session) -> list[Any]:
    return list(session.run(f"select {expressions}").rows()[0]) if expressions.strip() else []


def _kind(returns: str) -> str:
    if returns.startswith(("int", "number", "bigint", "decimal")):
        return "fixed"
    return {"float": "real", "double": "real", "boolean": "boolean"}.get(
        returns.partition("(")[0], "text"
    )


def _seconds(session: Session) -> float:
    """How long a procedure may run: STATEMENT_TIMEOUT_IN_SECONDS of its warehouse, where 0 is none.

    https://docs.snowflake.com/en/sql-reference/parameters#statement-timeout-in-seconds
    """
    most = session.account.options.procedure_seconds
    timeout = session.account.statement_timeouts.get(session.warehouse or "")
    return min(most, timeout) if timeout else most


def _run(routine: Routine, values: list[Any], session: Session) -> Any:
    """Run the body in a process of its own, in the session of the caller."""
    account = session.account
    seconds = _seconds(session)
    token = next(key for key, other in account.sessions.items() if other is session)
    request = {
        "kind": "procedure",
        "body": routine.body,
        "handler": routine.handler,
        "modules": routine.modules,
        "imports": [str(place) for place in routine.imports],
        "arguments": values,
        "connection": {
            "account": "test",
            "user": session.user,
            "password": "any",
            "host": "127.0.0.1",
            "port": account.extras["port"],
            "protocol": "http",
            "login_timeout": 20,
            "session_parameters": {
                "EMULATOR_PARENT_SESSION": token,
                "CLIENT_TELEMETRY_ENABLED": False,
            },
        },
    }
    box = sandbox.of(account)
    before = set(account.sessions)
    session.procedure_depth += 1
    try:
        with account.unlocked(), box.open(request, seconds) as connection:
            reply = sandbox.receive(connection)
            if "error" not in reply:
                _warm(box, sandbox.receive(connection)["warm"])
    except TimeoutError:
        raise errors.SnowflakeError(
            f"Statement reached its statement or warehouse timeout of "
            f"{seconds:.0f} second(s) and was canceled.",
            630,
            "57014",
        ) from None
    except EOFError as ended:
        raise sandbox.failure(f"Process ended: {ended}", routine.name, routine.handler) from None
    finally:
        session.procedure_depth -= 1
        # The body's process ends without a logout: its way in must not keep the session open.
        for key in [k for k, other in account.sessions.items() if other is session]:
            if key not in before:
                del account.sessions[key]
    if "error" in reply:
        raise sandbox.failure(reply["error"], routine.name, routine.handler)
    return reply["result"]


_warmed: set[str] = set()


def _warm(box: sandbox.Sandbox, modules: list[str]) -> None:
    """Let later forks have the libraries that this one imported."""
    new = sorted(set(modules) - _warmed)
    if new:
        _warmed.update(new)
        with box.open({"warm": new}, 5.0):
            pass
