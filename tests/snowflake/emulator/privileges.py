"""Refusals that a test asks for: statements that the role may not run."""

from __future__ import annotations

from emulator import errors, limits
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import Statement


def handle(statement: Statement, session: Session) -> Answer | None:
    """Refuse statements that start with a forbidden phrase, as a missing privilege would.

    https://docs.snowflake.com/en/user-guide/security-access-control-privileges
    """
    text = " ".join(statement.words).replace("OR REPLACE ", "") + " "
    for_now = limits.of(session.account).get("refused", ())
    for phrase in (*session.account.options.refused, *for_now):
        if text.startswith(phrase.upper() + " "):
            raise errors.SnowflakeError(
                "SQL access control error:\n"
                f"Insufficient privileges to operate on {phrase.lower()}.",
                3001,
                "42501",
            )
    return None
