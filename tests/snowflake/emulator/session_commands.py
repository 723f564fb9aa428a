"""USE, ALTER SESSION, SET, transactions, SHOW PARAMETERS."""

from __future__ import annotations

import re

from emulator import answers, errors
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, Statement, split_name
from emulator.tables import text_of

_DONE = "Statement executed successfully."
_VALUE = r"(?:'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$|[\w.+-]+)"
_ASSIGNMENT = re.compile(rf"(\w+)\s*=\s*({_VALUE})\s*,?\s*", re.S)

# https://docs.snowflake.com/en/sql-reference/parameters
_DEFAULTS = {
    "AUTOCOMMIT": "true",
    "ERROR_ON_NONDETERMINISTIC_MERGE": "true",
    "QUERY_TAG": "",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": "false",
    "STATEMENT_TIMEOUT_IN_SECONDS": "172800",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMEZONE": "Etc/UTC",
    "WEEK_START": "0",
    "DEFAULT_NULL_ORDERING": "LAST",
}


def handle(statement: Statement, session: Session) -> Answer | None:
    for pattern, run in _COMMANDS:
        if found := re.match(pattern, statement.body, re.I | re.S):
            return run(found, session)
    return None


def _use(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/use"""
    kind = (found["kind"] or "").strip().upper()
    parts = split_name(found["name"])
    account = session.account
    if kind == "WAREHOUSE":
        if account.warehouses is not None and parts[-1] not in account.warehouses:
            raise errors.no_such_scope()
        session.warehouse = parts[-1]
    elif kind == "ROLE":
        if account.roles is not None and parts[-1] not in account.roles:
            raise errors.no_such_scope()
        session.role = parts[-1]
    elif kind == "SECONDARY ROLES":
        pass
    elif kind == "DATABASE" or (not kind and len(parts) == 1):
        session.use(parts[0])
    else:
        session.use(parts[-2] if len(parts) > 1 else str(session.database), parts[-1])
    return answers.status(_DONE)


def _set(found: re.Match[str], session: Session) -> Answer:
    for name, value in _ASSIGNMENT.findall(found["rest"]):
        session.parameters[name.upper()] = text_of(value) if value[0] in "'$" else value
    return answers.status(_DONE)


def _unset(found: re.Match[str], session: Session) -> Answer:
    for name in re.findall(r"\w+", found["rest"]):
        session.parameters.pop(name.upper(), None)
    return answers.status(_DONE)


def _show_parameters(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/show-parameters"""
    pattern = found["like"] or "%"
    wanted = re.compile(
        re.escape(pattern).replace("%", ".*").replace("_", ".").replace(r"\%", ".*"), re.I
    )
    values = {**_DEFAULTS, **session.parameters}
    return answers.rows(
        dict.fromkeys(("key", "value", "default", "level", "description", "type"), "text"),
        [
            (name, str(value), _DEFAULTS.get(name, ""),
             "SESSION" if name in session.parameters else "", "", "STRING")
            for name, value in sorted(values.items())
            if wanted.fullmatch(name)
        ],
    )  # fmt: skip


def _begin(found: re.Match[str], session: Session) -> Answer:
    session.begin()
    return answers.status(_DONE)


def _commit(found: re.Match[str], session: Session) -> Answer:
    session.commit()
    return answers.status(_DONE)


def _rollback(found: re.Match[str], session: Session) -> Answer:
    session.rollback()
    return answers.status(_DONE)


def _cancel(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/functions/system_cancel_all_queries"""
    return answers.rows({"SYSTEM$CANCEL_ALL_QUERIES": "text"}, [("0 queries cancelled.",)])


def _attempt(found: re.Match[str], session: Session) -> Answer:
    """A block of Snowflake Scripting that passes over an error of its one statement.

    https://docs.snowflake.com/en/developer-guide/snowflake-scripting/exceptions
    """
    try:
        session.run(found["statement"])
    except errors.SnowflakeError as error:
        return answers.rows({"anonymous block": "text"}, [(str(error),)])
    return answers.rows({"anonymous block": "text"}, [(None,)])


_COMMANDS = [
    (
        r"execute\s+immediate\s+\$\$\s*begin\s+(?P<statement>[^;]*);\s*exception\s+when\s+other\s+then"
        r"\s+return\s+sqlerrm;\s*end;?\s*\$\$\s*$",
        _attempt,
    ),
    (r"select\s+system\$cancel_all_queries\s*\(", _cancel),
    (
        rf"use\s+(?P<kind>warehouse\s+|role\s+|secondary\s+roles\s+|database\s+|schema\s+)?"
        rf"(?P<name>{NAME})\s*$",
        _use,
    ),
    (r"alter\s+session\s+set\s+(?P<rest>.*)$", _set),
    (r"alter\s+session\s+unset\s+(?P<rest>.*)$", _unset),
    (
        r"show\s+parameters(?:\s+like\s+'(?P<like>[^']*)')?(?:\s+(?:in|for)\s+.*)?\s*$",
        _show_parameters,
    ),
    (r"(?:begin(?:\s+(?:work|transaction))?|start\s+transaction)(?:\s+name\s+\w+)?\s*$", _begin),
    (r"commit(?:\s+work)?\s*$", _commit),
    (r"rollback(?:\s+work)?\s*$", _rollback),
]
