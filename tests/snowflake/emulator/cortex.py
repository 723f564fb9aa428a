"""Cortex AI functions, as stubs: the documented shapes, from the words of the text.

They show that texts reach the functions and that answers are read right, not what a model says.
The texts sent are counted (the log's `cortex_calls`). Two words fail on demand, as Snowflake does:
a text with `cortex-null` cannot be processed and gives NULL
(https://docs.snowflake.com/en/release-notes/bcr-bundles/2026_02/bcr-2184), one with `cortex-error`
fails the statement, as before that change. NULL in, NULL out, and no call.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from emulator import errors

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.session import Session

# The functions that sqlglot knows by a type of their own.
TYPES = (exp.AIClassify,)
_WORDS = {"love": "positive", "broke": "negative", "but": "mixed"}


def _label(text: str) -> str:
    return next((label for word, label in _WORDS.items() if word in text.lower()), "neutral")


def register(account: Account) -> None:
    """Make the functions known to all sessions of an account."""

    def asked(text: str | None) -> bool:
        if text is None:
            return False
        account.cortex_calls += 1
        if "cortex-error" in text:
            raise ValueError("Request failed for external function: invalid input")
        return "cortex-null" not in text

    def ai_sentiment(text: str | None, categories: str | None = None) -> str | None:
        """https://docs.snowflake.com/en/sql-reference/functions/ai_sentiment"""
        if text is None or not asked(text):
            return None
        found = [{"name": "overall", "sentiment": _label(text)}]
        for name in json.loads(categories or "[]"):
            sentiment = _label(text) if name.lower() in text.lower() else "unknown"
            found.append({"name": name, "sentiment": sentiment})
        return json.dumps({"categories": found})

    def ai_classify(text: str | None, categories: str) -> str | None:
        """https://docs.snowflake.com/en/sql-reference/functions/ai_classify"""
        names = [one["label"] if isinstance(one, dict) else one for one in json.loads(categories)]
        if len(set(names)) < 2:
            raise ValueError("Invalid argument: at least two unique categories")
        if text is None or not asked(text):
            return None
        return json.dumps({"labels": [names[zlib.crc32(text.encode()) % len(names)]]})

    def ai_translate(text: str | None, source: str, target: str) -> str | None:
        """https://docs.snowflake.com/en/sql-reference/functions/ai_translate"""
        return f"[{source or 'auto'}>{target}] {text}" if asked(text) else None

    def ai_count_tokens(function: str, text: str | None) -> int | None:
        """Calls no model: https://docs.snowflake.com/en/sql-reference/functions/ai_count_tokens."""
        return None if text is None else 1 + len(text) // 4

    def sentiment(text: str | None) -> float | None:
        """https://docs.snowflake.com/en/sql-reference/functions/sentiment-snowflake-cortex"""
        if text is None or not asked(text):
            return None
        return {"positive": 0.8, "negative": -0.8}.get(_label(text), 0.0)

    text, json_ = "VARCHAR", "JSON"
    functions: list[tuple[str, Any, list[str], str]] = [
        ("ai_sentiment_1", lambda a: ai_sentiment(a, None), [text], json_),
        ("ai_sentiment_2", ai_sentiment, [text, json_], json_),
        ("ai_classify_2", ai_classify, [text, json_], json_),
        ("ai_classify_3", lambda a, b, c: ai_classify(a, b), [text, json_, json_], json_),
        ("ai_translate_3", ai_translate, [text] * 3, text),
        ("ai_count_tokens_2", ai_count_tokens, [text] * 2, "BIGINT"),
        ("cortex_sentiment_1", sentiment, [text], "DOUBLE"),
        ("cortex_translate_3", ai_translate, [text] * 3, text),
    ]
    for name, function, types, returns in functions:
        account.root.create_function(
            f"emulator_{name}", function, types, returns, null_handling="special", side_effects=True
        )
    account.extras["cortex"] = {name: types for name, _, types, _ in functions}


def call(parts: list[str], node: exp.Expression, session: Session) -> exp.Expression | None:
    """The registered function for a call of a Cortex function; None for any other call."""
    if parts[:-1] == ["SNOWFLAKE", "CORTEX"]:
        name = f"cortex_{parts[-1].lower()}"
    elif len(parts) == 1 and parts[0].startswith("AI_"):
        name = parts[0].lower()
    else:
        return None
    arguments = (
        list(node.expressions)
        if isinstance(node, exp.Anonymous)
        else [value for value in node.args.values() if isinstance(value, exp.Expression)]
    )
    types = session.account.extras.get("cortex", {}).get(f"{name}_{len(arguments)}")
    if types is None:
        word, errno = ("function", 2140) if len(parts) == 1 else ("user-defined function", 2141)
        raise errors.compilation(f"Unknown {word} {'.'.join(parts)}.", errno, "42601")
    given = [
        exp.Anonymous(this="to_json", expressions=[argument.copy()])
        if type_ == "JSON"
        else exp.cast(argument.copy(), "varchar")
        for argument, type_ in zip(arguments, types, strict=True)
    ]
    return exp.Anonymous(this=f"emulator_{name}_{len(arguments)}", expressions=given)
