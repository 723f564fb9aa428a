"""Text and numbers as Markdown in which nothing that a person wrote is markup or code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

MISSING = "not measured"
NOT_STATED = "not stated"

# All but letters, digits, blanks and signs without a meaning. An underscore has none within a word
# and a bracket none that no link follows: what is left opens no tag, link, table cell, or Jinja.
_MARKUP = re.compile(
    r"""[^\w ,;()%/='"?.:+\[\]-]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])|:(?=/)|(?<=www)\.""",
    re.IGNORECASE,
)


def escaped(text: Any) -> str:
    """A text as Markdown that shows it as it is, to stand within a line; or that it is missing.

    Signs with a meaning become numeric entities, which Markdown shows and neither HTML nor Jinja
    reads. Signs that are not printable are left out.
    """
    if text is None or str(text).strip() == "":
        return NOT_STATED
    line = "".join(sign for sign in " ".join(str(text).split()) if sign.isprintable())
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", line)


def number(value: Any, digits: int = 3) -> str:
    """A measured number; a word for one that is missing."""
    return MISSING if value is None else f"{float(value):.{digits}f}"


def count(value: Any) -> str:
    """A number of rows; a word for one that is missing."""
    return MISSING if value is None else f"{int(value):,}"


def interval(value: Any, low: Any, high: Any) -> str:
    """A measured number with its 95 % interval, where it has one."""
    if value is None or low is None or high is None:
        return number(value)
    return f"{number(value)} [{number(low)}, {number(high)}]"


def yes_no(value: Any) -> str:
    """A truth value in words."""
    return MISSING if value is None else "yes" if value else "no"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
