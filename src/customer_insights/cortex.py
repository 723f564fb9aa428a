"""Snowflake Cortex AI Functions as Snowpark columns, for Python models.

The twin of macros/engine/cortex_functions.sql: the same functions with the same portable values,
for a Python model that works on Snowpark data frames. A column is computed where the frame is, once
for each row: text never comes to Python, and rows that are not in the frame are not paid for. A
text that Cortex cannot process gives null
(https://docs.snowflake.com/en/release-notes/bcr-bundles/2026_02/bcr-2184).

Import it in Python models of a Snowflake target only: it needs Snowpark.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from customer_insights.errors import EngineError

# A Snowpark column. Snowpark is no dependency of the library, so its types are not known here.
Column = Any

# Codes that AI_TRANSLATE knows, as macros/engine/cortex_functions.sql lists them.
TRANSLATED_LANGUAGES = (
    "ar", "cs", "de", "el", "en", "es", "fi", "fr", "he", "hi", "hr", "it", "ja", "ko", "nl", "no",
    "pl", "pt", "ro", "ru", "sv", "tr", "zh",
)  # fmt: skip


def sentiment(text: Column) -> Column:
    """How a text feels: positive, neutral, negative, mixed or unknown; null where it failed.

    It reads English, French, German, Hindi, Italian, Portuguese and Spanish.
    https://docs.snowflake.com/en/sql-reference/functions/ai_sentiment
    """
    return _word(_functions().call_function("ai_sentiment", text), "categories[0].sentiment")


def classify(text: Column, categories: Sequence[str]) -> Column:
    """The one category that a text belongs to; null where it failed. Made for English prose.

    Raises:
        EngineError: there are fewer than two different categories.

    https://docs.snowflake.com/en/sql-reference/functions/ai_classify

    """
    if isinstance(categories, str) or len(set(categories)) < 2:
        raise EngineError(f"Cortex needs two or more different categories, not {categories!r}.")
    functions = _functions()
    array = functions.array_construct(*map(functions.lit, categories))
    return _word(functions.call_function("ai_classify", text, array), "labels[0]")


def translate(text: Column, from_language: str | None, to_language: str) -> Column:
    """A text in another language; null where it failed. With None its language is recognised.

    Raises:
        EngineError: a language is not one of :data:`TRANSLATED_LANGUAGES`.

    https://docs.snowflake.com/en/sql-reference/functions/ai_translate

    """
    for language in (from_language or to_language, to_language):
        if language not in TRANSLATED_LANGUAGES:
            raise EngineError(
                f"Cortex does not translate {language!r}; it knows "
                f"{', '.join(TRANSLATED_LANGUAGES)}."
            )
    functions = _functions()
    return functions.call_function(
        "ai_translate", text, functions.lit(from_language or ""), functions.lit(to_language)
    )


def _word(answer: Column, path: str) -> Column:
    """The text at a path of an answer.

    https://docs.snowflake.com/en/sql-reference/functions/get_path
    """
    functions = _functions()
    return functions.call_function("get_path", answer, functions.lit(path)).cast("string")


def _functions() -> Any:
    """Snowpark's functions."""
    try:
        return import_module("snowflake.snowpark.functions")
    except ModuleNotFoundError as error:
        raise EngineError(
            "Cortex is called through Snowpark, which is not installed here; "
            "it is part of Snowflake's Python runtime."
        ) from error
