"""Words of a text, and terms among them, in scripts with and without spaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_insights.text.words import TermIndex, folded, has_kana, words_of


def found(text: str, *terms: str) -> list[str]:
    """The terms found in a text, the longest at each place, none inside another."""
    index: TermIndex[str] = TermIndex()
    for term in terms:
        assert index.add(term, term)
    words, place = words_of(text), 0
    all_found: list[str] = []
    while place < len(words):
        one = index.longest(words, place)
        place = one.end if one else place + 1
        all_found += one.values if one else ()
    return all_found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The delivery was LATE!", ["the", "delivery", "was", "late", "!"]),
        ("Ça n\u2019est pas mal", ["ca", "n", "'", "est", "pas", "mal"]),
        ("Größe", ["grosse"]),
        ("配送が遅い。", ["配", "送", "が", "遅", "い", "。"]),
        ("ｇｏｏｄ！", ["good", "!"]),
        ("ガラス", ["ガ", "ラ", "ス"]),
        ("❤️ 👍🏽", ["❤", "👍"]),
        ("one\ntwo_3", ["one", "\n", "two", "_", "3"]),
        ("", []),
    ],
)
def test_words_are_folded_and_unspaced_scripts_are_read_letter_by_letter(
    text: str, words: list[str]
) -> None:
    assert words_of(text) == words


def test_japanese_marks_make_another_letter() -> None:
    assert folded("か\u3099") == "が"
    assert folded("か") != folded("が")
    assert has_kana("最高です")
    assert not has_kana("质量很好")


@pytest.mark.parametrize(
    ("text", "term", "is_found"),
    [
        ("the delivery was late", "delivery", True),
        ("deliveryman", "delivery", False),
        ("deliveryman", "deliver*", True),
        ("redelivery", "deliver*", False),
        ("very late", "very late", True),
        ("very, late", "very late", False),
        ("quickly sent back home", "sent back*", True),
        ("La devolucion", "devolución", True),
        ("Rücksendung", "rucksend*", True),
        ("Ruecksendung", "rücksend*", True),
        ("配送が遅い", "配送", True),
        ("配 送", "配送", True),
        ("I like c++ (really)", "c++", True),
        ("I like c", "c++", False),
        ("ccc", "c+", False),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("it costs $5 [sic]", "$5 [sic]", True),
        ("he said 'no' \"twice\"", "'no' \"twice\"", True),
        ("100% \\d+", "\\d+", True),
        ("100", "\\d+", False),
        ("a * b", "*", True),
    ],
)
def test_a_term_is_found_as_it_is_written(text: str, term: str, is_found: bool) -> None:
    assert bool(found(text, term)) == is_found


def test_the_longest_term_at_a_place_wins() -> None:
    terms = ("late", "late for once", "lat*", "l*")
    assert found("late for once", *terms) == ["late for once"]
    assert found("late for ever", *terms) == ["late"]
    assert found("later", *terms) == ["lat*"]
    assert found("light", *terms) == ["l*"]


def test_several_things_may_stand_for_one_term() -> None:
    index: TermIndex[int] = TermIndex()
    for value in (1, 2, 1):
        index.add("cheap", value)
    index.add("cheap and cheerful", 3)
    one = index.longest(["cheap", "and"], 0)
    assert one is not None
    assert (one.start, one.end, one.values) == (0, 1, (1, 2))
    assert list(index.all_values(words_of("cheap and cheerful"), 0)) == [1, 2, 3]


@pytest.mark.parametrize("term", ["", "   ", "\n", "\u200d"])
def test_a_term_without_a_word_is_not_added(term: str) -> None:
    assert not TermIndex[int]().add(term, 1)


@given(text=st.text(), term=st.text(max_size=20))
def test_any_text_and_term_can_be_read(text: str, term: str) -> None:
    index: TermIndex[int] = TermIndex()
    is_added = index.add(term, 1)
    words = words_of(text)
    for place in range(len(words)):
        one = index.longest(words, place)
        assert one is None or place < one.end <= len(words)
    if is_added and not term.endswith("*"):
        assert index.longest(words_of(term), 0) is not None
