"""Words of a text, and the terms of a vocabulary among them, whatever the language.

A term is found by its words, so that no sign in it is a pattern, except a `*` at its end, which
stands for any ending. Scripts without spaces are read letter by letter: a term is found wherever
its letters stand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ANY_ENDING = "*"

# Accents of Latin, Greek and Cyrillic letters. Those of Japanese, which make another letter, are
# not among them: https://www.unicode.org/charts/PDF/U0300.pdf
_ACCENTS = re.compile("[\u0300-\u036f]")
# Asks for the picture of a sign, and the colours of a skin: the sign is the same without.
_LOOKS = re.compile("[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
# Hiragana, Katakana, Han and Thai are written without spaces.
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\u0e00-\u0e7f"
_WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])+|\n|[^\w\s]|_")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_KANA = re.compile("[\u3040-\u309f\u30a1-\u30fa]")

T = TypeVar("T")


def folded(text: str) -> str:
    """Lower case without accents; wide letters and typographic apostrophes as the plain ones."""
    plain = unicodedata.normalize("NFKC", _LOOKS.sub("", text)).casefold().replace("\u2019", "'")
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", plain))
    return unicodedata.normalize("NFC", bare)


def words_of(text: str) -> list[str]:
    """Words, signs and line breaks of a text, folded; letters of unspaced scripts one by one."""
    return _WORD.findall(folded(text))


def is_unspaced(word: str) -> bool:
    """Whether a word of `words_of` is a letter of a script without spaces."""
    return _UNSPACED.match(word) is not None


def has_kana(text: str) -> bool:
    """Whether a text has letters that Japanese is written with and Chinese is not."""
    return _KANA.search(text) is not None


@dataclass(frozen=True)
class Found(Generic[T]):
    """A term in a text: words from `start` to before `end`, and what stands for it."""

    start: int
    end: int
    values: tuple[T, ...]


@dataclass
class _Node(Generic[T]):
    values: tuple[T, ...] = ()
    words: dict[str, _Node[T]] = field(default_factory=dict)
    # Beginnings of words, for the last word of a term that takes any ending.
    beginnings: dict[str, _Node[T]] = field(default_factory=dict)


class TermIndex(Generic[T]):
    """Terms, each with what stands for it, to be found in one pass over the words of a text."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, term: str, value: T) -> bool:
        """Add a term; false where it has no word and could never be found."""
        spellings = {
            folded(term),
            folded(unicodedata.normalize("NFC", term).lower().translate(_UMLAUTS)),
        }
        is_added = False
        for spelling in sorted(spellings):
            has_any_ending = len(spelling) > 1 and spelling.endswith(ANY_ENDING)
            words = _WORD.findall(spelling.removesuffix(ANY_ENDING) if has_any_ending else spelling)
            if not words or not "".join(words).strip():
                continue
            node = self._root
            for word in words[:-1]:
                node = node.words.setdefault(word, _Node())
            last = node.beginnings if has_any_ending else node.words
            node = last.setdefault(words[-1], _Node())
            if value not in node.values:
                node.values = (*node.values, value)
            is_added = True
        return is_added

    def longest(self, words: Sequence[str], start: int) -> Found[T] | None:
        """The longest term that begins at a word."""
        best: Found[T] | None = None
        for end, node in self._matches(words, start):
            if best is None or end > best.end:
                best = Found(start, end, node.values)
        return best

    def scan(self, words: Sequence[str]) -> list[Found[T]]:
        """Terms from left to right, the longest at each place, none inside another."""
        found, place = [], 0
        while place < len(words):
            one = self.longest(words, place)
            if one is None:
                place += 1
            else:
                found.append(one)
                place = one.end
        return found

    def all_values(self, words: Sequence[str], start: int) -> Iterable[T]:
        """What stands for every term that begins at a word, however long."""
        for _, node in self._matches(words, start):
            yield from node.values

    def _matches(self, words: Sequence[str], start: int) -> Iterable[tuple[int, _Node[T]]]:
        node, place = self._root, start
        while place < len(words):
            word = words[place]
            # The longer beginning comes first and wins among terms of as many words.
            exact = node.words.get(word)
            if exact is not None and exact.values:
                yield place + 1, exact
            for length in range(len(word), 0, -1) if node.beginnings else ():
                begun = node.beginnings.get(word[:length])
                if begun is not None:
                    yield place + 1, begun
            if exact is None:
                return
            node, place = exact, place + 1
