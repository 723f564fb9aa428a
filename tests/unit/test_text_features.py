"""Texts are cleaned without losing a word, and their n-grams counted as written out."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_insights.text.cleaning import cleaned, normalised
from customer_insights.text.ngrams import (
    BATCH_CHARACTERS,
    BITS,
    CHARACTERS,
    MOST_LETTERS,
    batches,
    count_ngrams,
)

TEXTS = st.text(alphabet=st.sampled_from("ab ßéя好い!'👍<&\n\t😀é"), max_size=40)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<p>Sehr gut</p><br/>danke", "Sehr gut danke"),
        ("5 &lt; 6 &amp; 7", "5 < 6 & 7"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("see https://shop.example/a?b=c and www.x.example now", "see and now"),
        ("\uff27\uff4f\uff4f\uff44\u3000ﾃｽﾄ", "Good テスト"),
        ("soooooo goooood!!!!!!", "sooo goood!!!"),
        ("a\u200bb\x00c\ufeffd", "a b c d"),
        ("  \n\t ", ""),
        ("👨‍👩‍👧 ok", "👨‍👩‍👧 ok"),
        ("مرحبا بالعالم", "مرحبا بالعالم"),
        ("n'est pas bon, nicht gut, not ok, no", "n'est pas bon, nicht gut, not ok, no"),
        ("{{ config() }}'; drop table x; --", "{{ config() }}'; drop table x; --"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_a_text_keeps_its_words_and_loses_what_is_not_said(written: str, said: str) -> None:
    assert cleaned(written) == said


def test_case_is_dropped_for_ngrams_only() -> None:
    assert cleaned("NOT Good") == "NOT Good"
    assert normalised("NOT Good") == "not good"


def written_out(text: str) -> Counter[tuple[int, str]]:
    """Every n-gram of a text, cut out one by one."""
    found: Counter[tuple[int, str]] = Counter()
    words = normalised(text).split()
    for word in (f" {word} " for word in words):
        for length in CHARACTERS:
            for start in range(len(word) - length + 1):
                found[length, word[start : start + length]] += 1
    # White space between two words belongs to both; on its own it counts once.
    if words:
        found[1, " "] = len(words) + 1
    runs, run = [], ""
    for character in f" {normalised(text)} ":
        if character.isalnum() or character == "'":
            run += character
        elif run:
            runs.append(run)
            run = ""
    kept = [run for run in runs if len(run) <= MOST_LETTERS]
    found.update((10, word) for word in kept)
    found.update((11, f"{one}\0{other}") for one, other in pairwise(kept))
    return found


@given(TEXTS)
def test_ngrams_are_those_of_the_text_written_out(text: str) -> None:
    found = written_out(text)
    found.pop((1, " "), None)
    counted = count_ngrams([text])
    assert counted.shape == (1, 2**BITS)
    # White space at the ends of words is counted, too, once for each place; it tells nothing.
    spaces = set(count_ngrams(["a"]).indices) & set(count_ngrams(["b"]).indices)
    values = [
        int(value)
        for value, place in zip(counted.data, counted.indices, strict=True)
        if place not in spaces
    ]
    assert sorted(values) == sorted(found.values())


@given(st.lists(TEXTS, max_size=6))
def test_a_text_has_the_same_ngrams_in_any_batch(texts: list[str]) -> None:
    together = count_ngrams(texts)
    assert together.shape[0] == len(texts)
    for row, text in enumerate(texts):
        alone = count_ngrams([text])
        assert np.array_equal(together[row].toarray(), alone.toarray())


def test_negations_change_what_is_counted() -> None:
    for plain, negated in (("good", "not good"), ("bon", "pas bon"), ("gut", "nicht gut")):
        assert (count_ngrams([plain]) != count_ngrams([negated])).nnz


def test_a_very_long_text_is_counted() -> None:
    assert count_ngrams(["good bad " * 12_000]).nnz < 100


def test_batches_hold_so_many_characters_and_every_text_once() -> None:
    texts = ["a" * (BATCH_CHARACTERS // 2), "b" * (BATCH_CHARACTERS // 2), "c", "d" * 10**6, "e"]
    found = list(batches(texts))
    assert [len(batch) for batch in found] == [2, 1, 1, 1]
    assert [text for batch in found for text in batch] == texts
    assert list(batches([])) == []
