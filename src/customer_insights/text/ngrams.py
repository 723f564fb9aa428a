"""Counts of hashed character and word n-grams, in any script and with no vocabulary to keep.

The features are those of scikit-learn's HashingVectorizer with analyzers `char_wb` and `word`
(Weinberger et al. 2009, "Feature hashing for large scale multitask learning"), which cuts every
n-gram out as a Python string. Here all n-grams of a batch are hashed at once: a polynomial hash of
the code points from i to j is a difference of two prefix sums (Karp, Rabin 1987), in whole numbers
modulo 2^64, so that every machine gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from customer_insights.text.cleaning import normalised

BITS = 21
# The first half of the columns holds n-grams of characters, the second those of words.
WORDS_FROM = 2 ** (BITS - 1)
CHARACTERS = (1, 2, 3, 4, 5)
# A word of more characters is a run of Chinese, Japanese or Thai, or no word.
MOST_LETTERS = 24

# Characters that are hashed at once: some 300 bytes of memory each while it lasts.
BATCH_CHARACTERS = 500_000

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))
_END, _SPACE = "\n", " "

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in their order, so many at a time as `BATCH_CHARACTERS` hold, one at least."""
    start, characters = 0, 0
    for place, text in enumerate(texts):
        if place > start and characters + len(text) > BATCH_CHARACTERS:
            yield texts[start:place]
            start, characters = place, 0
        characters += len(text)
    if start < len(texts):
        yield texts[start:]


def count_ngrams(texts: Sequence[str]) -> sp.csr_matrix:
    """How often each hashed n-gram stands in each text, float32, shape (texts, 2 ** BITS).

    Character n-grams of 1 to 5 within words, the white space at their ends included; words and
    pairs of successive words.
    """
    if not texts:
        return sp.csr_matrix((0, 2**BITS), dtype=np.float32)
    codes = _codes("".join(f" {normalised(text)} {_END}" for text in texts))
    return _Batch(codes, len(texts)).counts()


def _codes(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)


class _Batch:
    """Texts in one array of code points, each ended by `_END`."""

    def __init__(self, codes: npt.NDArray[np.uint32], texts: int) -> None:
        self._codes = codes
        self._texts = texts
        self._is_end = codes == ord(_END)
        self._text_of = np.cumsum(self._is_end) - self._is_end
        powers = np.cumprod(np.full(len(codes), _BASE, np.uint64), dtype=np.uint64)
        self._prefix = np.concatenate(
            [np.zeros(1, np.uint64), np.cumsum((codes + np.uint64(1)) * powers, dtype=np.uint64)]
        )
        self._shift = np.cumprod(np.full(len(codes), _INVERSE, np.uint64), dtype=np.uint64)

    def counts(self) -> sp.csr_matrix:
        characters, words = self._characters(), self._words()
        starts = np.concatenate([at for at, _ in (*characters, *words)])
        buckets = np.concatenate(
            [_bucket(hashes, kind) for kind, (_, hashes) in enumerate(characters)]
            + [_bucket(hashes, kind) + WORDS_FROM for kind, (_, hashes) in enumerate(words)]
        )
        owners = self._text_of[starts]
        order = np.argsort(owners, kind="stable")
        ends = np.cumsum(np.bincount(owners, minlength=self._texts))
        matrix = sp.csr_matrix(
            (
                np.ones(len(buckets), np.float32),
                buckets[order],
                np.concatenate([[0], ends]).astype(np.int32),
            ),
            shape=(self._texts, 2**BITS),
        )
        matrix.sum_duplicates()
        return matrix

    def _hash(self, start: Places, end: Places) -> Hashes:
        """Hashes of the code points from `start` to before `end`."""
        hashes: Hashes = (self._prefix[end] - self._prefix[start]) * self._shift[start]
        return hashes

    def _characters(self) -> list[tuple[Places, Hashes]]:
        """Starts and hashes of the n-grams that hold white space at their ends at most."""
        is_space = (self._codes == ord(_SPACE)) | self._is_end
        spaces = np.concatenate([[0], np.cumsum(is_space)])
        ends = np.concatenate([[0], np.cumsum(self._is_end)])
        found = []
        for length in CHARACTERS:
            start = np.arange(len(self._codes) - length + 1)
            inner = spaces[start + max(length - 1, 1)] - spaces[start + min(1, length - 1)]
            is_within = (inner == 0) & (ends[start + length] == ends[start])
            start = start[is_within]
            if length == 2:
                start = start[~(is_space[start] & is_space[start + 1])]
            found.append((start, self._hash(start, start + length)))
        return found

    def _words(self) -> list[tuple[Places, Hashes]]:
        """Starts and hashes of words, and of pairs of words that follow each other in a text."""
        is_letter = _are_letters(self._codes)
        edges = np.diff(is_letter.astype(np.int8), prepend=0, append=0)
        start, end = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        is_word = end - start <= MOST_LETTERS
        start, end = start[is_word], end[is_word]
        word = self._hash(start, end)
        is_pair = self._text_of[start[1:]] == self._text_of[start[:-1]]
        pair = word[:-1] * _BASE + _mixed(word[1:])
        return [(start, word), (start[:-1][is_pair], pair[is_pair])]


def _are_letters(codes: npt.NDArray[np.uint32]) -> Flags:
    """Whether each code point is a letter, a mark on one, or a digit."""
    is_present = np.zeros(0x110000, np.bool_)
    is_present[codes] = True
    is_letter = np.zeros(0x110000, np.bool_)
    for code in np.flatnonzero(is_present):
        is_letter[code] = chr(code).isalnum() or chr(code) == "'"
    letters: Flags = is_letter[codes]
    return letters


def _mixed(hashes: Hashes) -> Hashes:
    """Each bit spread over all others (Steele, Lea, Flood 2014, SplitMix64)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def _bucket(hashes: Hashes, kind: int) -> npt.NDArray[np.int32]:
    """Places of n-grams of one kind among 2 ** (BITS - 1)."""
    mixed = _mixed(hashes + np.uint64(kind * 0xD1B54A32D192ED03 % 2**64))
    return (mixed >> np.uint64(65 - BITS)).astype(np.int32)
