"""What set-up scripts say: roles, grants, warehouses, users, policies. Remembered or accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from emulator import answers, errors, notifications
from emulator.account import Grant
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import NAME, Statement, split_name

_ACCEPTED = (
    "resource monitor|network policy|network rule|user|role|database role|warehouse|file format|"
    "task|tag|alert|notification integration|integration|secret|compute pool|share|"
    "authentication policy|password policy|session policy|event table|budget"
)
_KIND = rf"(?P<kind>{_ACCEPTED})".replace(" ", r"\s+")
_CHANGE = re.compile(
    rf"(?P<verb>create|alter|drop)\s+(?P<how>or\s+replace\s+|or\s+alter\s+)?(?:transient\s+|temporary\s+|temp\s+)?"
    rf"{_KIND}\s+(?P<exists>if\s+(?:not\s+)?exists\s+)?(?P<name>{NAME})",
    re.I,
)
_SECURABLE = (
    r"(?:all\s+)?(?:dynamic\s+tables?|tables?|views?|schemas?|databases?|warehouse|stages?|functions?"
    r"|procedures?|models?|integration|secret|tasks?|file\s+formats?|sequences?)"
)
_GRANT = re.compile(
    rf"(?P<verb>grant|revoke)\s+(?P<privileges>.+?)\s+on\s+(?P<future>(?:future|all)\s+)?"
    rf"(?:(?P<kind>{_SECURABLE})\s+)?(?P<inside>in\s+(?:schema|database)\s+)?(?P<name>{NAME})"
    r"(?:\s*\([^)]*\))?\s+(?:to|from)\s+"
    rf"(?:(?P<grantee_kind>role|user|share|database\s+role)\s+)?(?P<grantee>{NAME})",
    re.I | re.S,
)
_GRANT_ROLE = re.compile(r"(?:grant|revoke)\s+(?:database\s+|application\s+)?role\s+", re.I)
_ACCOUNT_GRANT = re.compile(r"(?:grant|revoke)\s+.+\s+on\s+account\s+(?:to|from)\s+", re.I | re.S)
_SHOW_GRANTS = re.compile(
    rf"show\s+(?:future\s+)?grants(?:\s+(?P<how>on|to|of|in)\s+(?:(?P<kind>account|{_SECURABLE}|role|user|share)(?:\s+|$))?"
    rf"(?P<name>{NAME})?)?\s*$",
    re.I,
)
_TIMEOUT = re.compile(r"statement_timeout_in_seconds\s*(?:=\s*(\d+))?", re.I)
_DONE = "Statement executed successfully."


def handle(statement: Statement, session: Session) -> Answer | None:
    if not statement.words:
        return None
    word = statement.words[0]
    if word == "SHOW" and (found := _SHOW_GRANTS.match(statement.body)):
        return _show_grants(found, session)
    if word in ("GRANT", "REVOKE"):
        return _grant(statement.body, session)
    if word in ("CREATE", "ALTER", "DROP") and (found := _CHANGE.match(statement.body)):
        return _change(found, session)
    return None


def _change(found: re.Match[str], session: Session) -> Answer:
    kind, name = found["kind"].upper(), split_name(found["name"])[-1]
    known = {"WAREHOUSE": session.account.warehouses, "ROLE": session.account.roles}.get(kind)
    if known is not None:
        if found["verb"].lower() == "create":
            if name in known and not found["how"] and not found["exists"]:
                raise errors.already_exists(name)
            known.add(name)
        elif name not in known and not found["exists"]:
            raise errors.no_such_object(kind.title(), name)
        elif found["verb"].lower() == "drop":
            known.discard(name)
    if kind == "WAREHOUSE" and found["verb"].lower() == "create":
        session.account.made_warehouses.add(name)
    if kind == "WAREHOUSE" and (timeout := _TIMEOUT.search(found.string)):
        session.account.statement_timeouts[name] = int(timeout[1] or 0)
    if kind.endswith("INTEGRATION") and found["verb"].lower() == "create":
        notifications.keep_integration(name, found.string, session)
    session.commit()
    return answers.status(_DONE)


def _grant(body: str, session: Session) -> Answer:
    """Grants on objects and on those to come in a schema are kept for SHOW GRANTS.

    Dynamic tables are a kind of their own, which grants on tables leave out. Grants on roles, on
    the account and in a whole database are accepted.
    https://docs.snowflake.com/en/sql-reference/sql/grant-privilege,
    https://docs.snowflake.com/en/user-guide/dynamic-tables/privileges
    """
    session.commit()
    if _GRANT_ROLE.match(body) or _ACCOUNT_GRANT.match(body):
        return answers.status(_DONE)
    found = _GRANT.match(body)
    if not found:
        raise errors.syntax(body[:100])
    kind = re.sub(r"\s+", " ", (found["kind"] or "TABLE").upper())
    grantee = split_name(found["grantee"])[-1]
    grantee_kind = (found["grantee_kind"] or "ROLE").upper()
    known = session.account.roles
    if grantee_kind == "ROLE" and known is not None and grantee not in known:
        raise errors.no_such_object("Role", grantee)
    entries = {
        (re.sub(r"\s+", " ", privilege.replace(" PRIVILEGES", "")), grantee_kind, grantee)
        for privilege in re.split(r"\s*,\s*", found["privileges"].upper())
    }
    for held in _held(found, kind, session):
        if found["verb"].lower() == "grant":
            held.update(entries)
        else:
            held.difference_update(entries)
    return answers.status(_DONE)


def _held(found: re.Match[str], kind: str, session: Session) -> Iterator[set[Grant]]:
    """The grants that a statement changes: of an object, of a schema's, of those to come."""
    account = session.account
    if not found["future"]:
        yield account.grants.setdefault(_grant_key(kind, found["name"], session), set())
    elif found["inside"] and found["inside"].lower().split()[1] == "schema":
        scope = session.complete([*split_name(found["name"]), ""])
        place = (scope.database, scope.schema, kind.removesuffix("S"))
        if found["future"].strip().lower() == "future":
            yield account.future_grants.setdefault(place, set())
            return
        for name, info in account.objects.items():
            if (name.database, name.schema, info.kind) == place:
                yield account.grants.setdefault(("TABLE", str(name)), set())


def _grant_key(kind: str, name: str, session: Session) -> tuple[str, str]:
    if kind in ("TABLE", "VIEW", "DYNAMIC TABLE", "STAGE", "FUNCTION", "PROCEDURE"):
        kind = "TABLE" if kind in ("VIEW", "DYNAMIC TABLE") else kind
        return (kind, str(session.name_of(name)))
    return (kind, ".".join(split_name(name)))


def _show_grants(found: re.Match[str], session: Session) -> Answer:
    """https://docs.snowflake.com/en/sql-reference/sql/show-grants"""
    types = {
        "created_on": "timestamp_ltz",
        **dict.fromkeys(
            (
                "privilege",
                "granted_on",
                "name",
                "granted_to",
                "grantee_name",
                "grant_option",
                "granted_by",
            ),
            "text",
        ),
    }
    rows: list[tuple[object, ...]] = []
    if (found["how"] or "").lower() == "on" and found["name"]:
        kind = re.sub(r"\s+", " ", (found["kind"] or "TABLE").upper())
        key = _grant_key(kind, found["name"], session)
        rows = [
            (None, privilege, kind, key[1], grantee_kind, grantee, "false", "SYSADMIN")
            for privilege, grantee_kind, grantee in sorted(session.account.grants.get(key, set()))
        ]
        rows.append((None, "OWNERSHIP", kind, key[1], "ROLE", session.role, "true", session.role))
    return answers.rows(types, rows)
