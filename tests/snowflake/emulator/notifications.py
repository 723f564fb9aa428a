"""SYSTEM$SEND_SNOWFLAKE_NOTIFICATION to webhooks: nothing leaves, the log has what would be sent.

https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_snowflake_notification
https://docs.snowflake.com/en/user-guide/notifications/webhook-notifications

These pages do not say which characters are escaped on a text's way into the JSON of the message and
into the body of the request; that a line break is not, somebody has found out
(https://ben-nour.com/blog/slack_snowflake_notification). So texts go in here as they are, and what
then is no JSON is refused.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sqlglot import exp

from emulator import answers, errors
from emulator.answers import Answer
from emulator.session import Session
from emulator.statements import Statement
from emulator.tables import text_of

_NAME = "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION"
_CALL = re.compile(rf"call\s+{re.escape(_NAME)}\s*\((?P<arguments>.*)\)\s*$", re.I | re.S)
_TEMPLATE = re.compile(r"\bwebhook_body_template\s*=\s*('(?:[^'\\]|\\.|'')*')", re.I | re.S)
_PLACEHOLDER = "SNOWFLAKE_WEBHOOK_MESSAGE"


def handle(statement: Statement, session: Session) -> Answer | None:
    found = _CALL.match(statement.body)
    if not found:
        return None
    message, configuration = session.run(f"select {found['arguments']}").rows()[0]
    text = _parsed(message)["text/plain"]
    (name,) = _parsed(configuration)
    template = session.account.extras.get("integrations", {}).get(name.upper())
    if template is None:
        raise errors.no_such_object("Integration", name.upper())
    body = _parsed(template.replace(_PLACEHOLDER, text))
    session.account.notifications.append({"integration": name.upper(), "body": body})
    return answers.rows({_NAME: "text"}, [("Enqueued notifications.",)], answers.SELECT)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise errors.SnowflakeError(f"Error parsing JSON: {error}", 100069, "22P02") from None


def keep_integration(name: str, definition: str, session: Session) -> None:
    """Keep what a webhook integration makes of a message."""
    if found := _TEMPLATE.search(definition):
        session.account.extras.setdefault("integrations", {})[name] = text_of(found[1])


def call(parts: list[str], node: exp.Expression) -> exp.Expression | None:
    """What a helper function gives; None for any other call.

    https://docs.snowflake.com/en/sql-reference/functions-notification
    https://docs.snowflake.com/en/sql-reference/functions/sanitize_webhook_content
    """
    if parts[:-1] != ["SNOWFLAKE", "NOTIFICATION"]:
        return None
    (text,) = node.expressions
    if parts[-1] == "TEXT_PLAIN":
        return _between('{"text/plain": "', text, '"}')
    if parts[-1] == "INTEGRATION":
        return _between('{"', text, '": {}}')
    if parts[-1] == "SANITIZE_WEBHOOK_CONTENT":
        replaced = [
            text.copy(),
            *map(exp.Literal.string, (r"SNOWFLAKE_WEBHOOK_\w+", "REDACTED", "g")),
        ]
        return exp.Anonymous(this="regexp_replace", expressions=replaced)
    raise errors.unknown_function(".".join(parts))


def _between(before: str, text: exp.Expression, after: str) -> exp.Expression:
    opened = exp.DPipe(this=exp.Literal.string(before), expression=text.copy())
    return exp.paren(exp.DPipe(this=opened, expression=exp.Literal.string(after)))
