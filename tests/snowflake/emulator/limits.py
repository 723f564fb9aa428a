"""What an account lacks for a while, as a test asks for with `Emulator.limited`.

`privileges` refuses what starts with a phrase of `refused`; the rest is here. A test asks by a
file, which is read anew for each statement and each batch of a function.
"""

from __future__ import annotations

import json
import re
from typing import Any

from emulator import errors
from emulator.account import Account
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import Statement


def handle(statement: Statement, session: Session) -> Answer | None:
    """Refuse the statements that match `no_credits_for`: their warehouse is suspended.

    A resource monitor that suspends lets what runs come to its end, so the next statement is
    refused: https://docs.snowflake.com/en/user-guide/resource-monitors. 090073 is on no page; it
    stands in public logs.
    """
    pattern = of(session.account).get("no_credits_for")
    if pattern and re.match(pattern, statement.body, re.IGNORECASE):
        raise errors.SnowflakeError(
            f"Warehouse '{session.warehouse}' cannot be resumed because resource monitor "
            "'CUSTOMER_INSIGHTS' has exceeded its quota.",
            90073,
            "22000",
        )
    return None


def check_memory(account: Account, rows: int) -> None:
    """Stop a function that has been given more rows than `function_rows`.

    The words: https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-troubleshooting
    The number is on no page; it stands in public questions about the error.
    """
    most = of(account).get("function_rows")
    if most is not None and rows > most:
        raise errors.SnowflakeError("Function available memory exhausted.", 300005, "XX000")


def of(account: Account) -> dict[str, Any]:
    """What the account runs out of now."""
    path = account.options.limits
    if path is None or not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
