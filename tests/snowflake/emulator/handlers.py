"""Who answers which statement. The first handler that does not return None has answered.

An addition is one more function in this list (see the package's docstring). Order matters only
where two handlers know the same words: the special stands before the general.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import duckdb
from sqlglot.errors import SqlglotError

from emulator import (
    dml,
    dynamic_tables,
    errors,
    functions,
    limits,
    notifications,
    privileges,
    procedures,
    queries,
    routines,
    session_commands,
    setup_commands,
    show,
    staged_files,
    stages,
    tables,
)
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import Statement

Handler = Callable[[Statement, Session], Answer | None]

HANDLERS: list[Handler] = [
    privileges.handle,
    limits.handle,
    session_commands.handle,
    stages.handle,
    staged_files.handle,
    notifications.handle,
    procedures.handle,
    functions.handle,
    routines.handle,
    setup_commands.handle,
    dynamic_tables.handle,
    show.handle,
    tables.handle,
    dml.handle,
    queries.handle,
]

# The model registry is an addition of its own; it is asked first.
if importlib.util.find_spec("emulator.registry"):
    from emulator import registry

    HANDLERS.insert(1, registry.handle)


def answer(statement: Statement, session: Session) -> Answer:
    """The answer to a statement.

    Raises:
        SnowflakeError: what Snowflake would refuse, or what this emulator does not know.

    """
    try:
        for handle in HANDLERS:
            found = handle(statement, session)
            if found is not None:
                return found
    except duckdb.Error as error:
        raise errors.from_duckdb(error, statement.text) from error
    except SqlglotError as error:
        raise errors.syntax(str(error)) from error
    raise errors.SnowflakeError(
        f"The emulator has no handler for: {statement.body[:200]}", 300001, "0A000"
    )
