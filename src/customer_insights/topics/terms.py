"""The terms of a text, in any script, and which of them may tell topics apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from customer_insights.text.cleaning import normalised

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

# A list of stop words is applied where so many texts look like its language: the words of one
# language are names of things in another.
LANGUAGE_SHARE = 0.01
# A term in more texts than this is what the shop is about, not a topic of it.
MOST_TEXTS_SHARE = 0.5
MOST_TERMS = 5000

# Marks that belong to the letter before them; \w leaves them out, and Hindi would fall apart.
_MARKS = "".join(
    chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) in ("Mn", "Mc")
)
_LETTER = rf"[^\W\d_][{_MARKS}]*"
_WORD = re.compile(rf"(?:{_LETTER})+(?:['\u2019](?:{_LETTER})+)*")
# Scripts that put no spaces between words: Thai, Lao, Myanmar, Khmer, Hiragana, Han.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
_KANA = re.compile("[\u3041-\u309f]")
# What a text's masked parts were replaced by (macros/engine/cortex_text.sql).
_MASK = re.compile(r"\[(?:mail|number)\]")


def terms_of(text: str) -> list[str]:
    """The words of a text in lower case, in order, stop words included.

    An apostrophe parts a word (`l'article`), unless what follows turns its sense around (`don't`).
    Scripts without spaces give pairs of neighbouring characters; of pairs that begin in Hiragana,
    which are endings and particles, only the negation stays.
    """
    terms: list[str] = []
    for word in _WORD.findall(_MASK.sub(" ", normalised(text))):
        if word.isascii() and "'" not in word:
            terms.append(word)
            continue
        plain = word.replace("\u2019", "'")
        for part in [plain] if plain.endswith("n't") else plain.split("'"):
            terms += _cut(part)
    return terms


def _cut(word: str) -> list[str]:
    """A word, or the pairs of characters of its runs without spaces."""
    if not _UNSPACED.search(word):
        return [word]
    parts = [part for part in _UNSPACED.split(word) if part]
    for run in _UNSPACED.findall(word):
        pairs = [run[at : at + 2] for at in range(len(run) - 1)] or [run]
        parts += [pair for pair in pairs if pair == "ない" or not _KANA.match(pair)]
    return parts


@dataclass(frozen=True)
class StopWords:
    """Words that tell nothing of what a text is about, by language, and those that negate.

    A negation is never a stop word: `not` and `pas` turn a complaint into praise.
    """

    by_language: Mapping[str, frozenset[str]]
    negations: frozenset[str]

    @property
    def languages(self) -> list[str]:
        """Languages that have a list, in alphabetical order."""
        return sorted(self.by_language)

    def language_of(self, counts: sp.csr_matrix, terms: Sequence[str]) -> Places:
        """Place in `languages` of the language whose stop words a text holds most, shape (texts,).

        -1 where it holds none; of several the alphabetically first.
        """
        hits = np.asarray((counts > 0).astype(np.float64) @ self._listed(terms))
        spoken: Places = np.where(hits.sum(axis=1) > 0, hits.argmax(axis=1), -1)
        return spoken

    def _listed(self, terms: Sequence[str]) -> npt.NDArray[np.float64]:
        """Whether each term is in each language's list, 1 or 0, shape (terms, languages)."""
        lists = [self.by_language[name] for name in self.languages]
        listed = [[term in words for words in lists] for term in terms]
        return np.array(listed, np.float64).reshape(len(terms), len(lists))

    def of(self, counts: sp.csr_matrix, terms: Sequence[str]) -> Flags:
        """Which terms are stop words of the languages that the texts are in, shape (terms,).

        Args:
            counts: shape (texts, terms).
            terms: of each column.

        """
        is_listed = self._listed(terms)
        spoken = self.language_of(counts, terms)
        is_told = spoken >= 0
        likeliest = np.bincount(spoken[is_told], minlength=len(self.languages))
        is_spoken = likeliest >= max(1.0, LANGUAGE_SHARE * is_told.sum())
        is_negation = np.array([term in self.negations for term in terms], np.bool_)
        found: Flags = np.logical_and(is_listed[:, is_spoken].any(axis=1), ~is_negation)
        return found


def count_terms(texts: Sequence[str]) -> tuple[sp.csr_matrix, tuple[str, ...]]:
    """How often each term stands in each text, shape (texts, terms); the terms, alphabetical."""
    places: dict[str, int] = {}
    columns: list[int] = []
    ends = [0]
    for text in texts:
        columns += [places.setdefault(term, len(places)) for term in terms_of(text)]
        ends.append(len(columns))
    counts = sp.csr_matrix(
        (np.ones(len(columns)), columns, ends), shape=(len(texts), len(places)), dtype=np.float64
    )
    counts.sum_duplicates()
    names = sorted(places)
    return counts[:, [places[name] for name in names]], tuple(names)


def count_known(texts: Sequence[str], terms: Sequence[str]) -> sp.csr_matrix:
    """How often each of some terms stands in each text, shape (texts, terms)."""
    places = {term: place for place, term in enumerate(terms)}
    columns: list[int] = []
    ends = [0]
    for text in texts:
        columns += [places[term] for term in terms_of(text) if term in places]
        ends.append(len(columns))
    counts = sp.csr_matrix(
        (np.ones(len(columns)), columns, ends), shape=(len(texts), len(terms)), dtype=np.float64
    )
    counts.sum_duplicates()
    return counts


def choose_terms(
    counts: sp.csr_matrix,
    terms: Sequence[str],
    writers: sp.csr_matrix,
    stop_words: StopWords,
    min_customers: int,
) -> Flags:
    """Which terms may stand in a topic, shape (terms,).

    Not: stop words, single letters, what fewer than `min_customers` have written, and what more
    than half of the texts hold. At most `MOST_TERMS`, those in most texts; ties by the alphabet.

    Args:
        counts: shape (texts, terms).
        terms: of each column.
        writers: which customer wrote which text, shape (customers, texts).
        stop_words: of any language.
        min_customers: who must have written a term, count.

    """
    is_in = (counts > 0).astype(np.float64)
    texts_with = np.asarray(is_in.sum(axis=0)).ravel()
    customers_with = np.asarray(((writers @ is_in) > 0).sum(axis=0)).ravel()
    # One Chinese character is a word; one letter is none.
    is_long = np.array([len(term) > 1 or bool(_UNSPACED.match(term)) for term in terms], np.bool_)
    is_kept: Flags = ~stop_words.of(counts, terms) & is_long
    is_kept &= customers_with >= min_customers
    is_kept &= texts_with <= MOST_TEXTS_SHARE * counts.shape[0]
    kept = np.flatnonzero(is_kept)
    rarest = kept[np.argsort(-texts_with[kept], kind="stable")][MOST_TERMS:]
    is_kept[rarest] = False
    return is_kept
