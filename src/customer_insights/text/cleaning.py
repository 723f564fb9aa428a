"""Texts as people wrote them, without what a web page or a keyboard left in them."""

from __future__ import annotations

import html
import re
import unicodedata

_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,200}>")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_REPEATED = re.compile(r"(.)\1{3,}", re.DOTALL)


def cleaned(text: str) -> str:
    """A text without HTML and addresses of pages, in one form of Unicode, its case kept.

    Full-width and half-width forms become the usual ones (NFKC), four or more of one character
    three, invisible and broken characters and runs of white space one space. No word goes: `not`,
    `pas` and `nicht` turn what follows them around.
    """
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "://" in text or "www." in text.lower():
        text = _ADDRESS.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == _JOINER else " " for c in text)
    return " ".join(_REPEATED.sub(r"\1\1\1", text).split())


# Holds together what is one sign: families of emoji, ligatures of Persian.
_JOINER = "\u200d"


def normalised(text: str) -> str:
    """A cleaned text in lower case, as n-grams are taken of it."""
    return cleaned(text).lower()
