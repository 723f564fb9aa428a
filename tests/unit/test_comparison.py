"""Two readings of a table are the same, or it is said in what they differ."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_insights.comparison import SCORE_TOLERANCE, TOLERANCE, differences

ROW: dict[str, Any] = {"id": "a", "day": date(2024, 1, 1), "is_new": True, "count": 3, "rate": 0.5}


def said(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    return [difference.what for difference in differences("t", expected, found)]


def test_the_same_rows_in_another_order_are_the_same() -> None:
    rows = [ROW, ROW | {"id": "b"}, ROW | {"id": "c", "rate": None}]
    assert said(rows, rows[::-1]) == []


def test_what_is_of_the_build_does_not_count() -> None:
    assert said([ROW | {"scored_at": 1}], [ROW | {"scored_at": "later"}]) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("day", datetime(2024, 1, 1), "day holds date expected, datetime found"),
        ("day", "2024-01-01", "day holds date expected, str found"),
        ("is_new", 1, "is_new holds bool expected, int found"),
        ("count", Decimal(3), "count holds int expected, Decimal found"),
        ("count", 3.0, "count holds int expected, float found"),
        ("count", True, "count holds int expected, bool found"),
        ("rate", Decimal("0.5"), "rate holds float expected, Decimal found"),
    ],
)
def test_an_equal_value_of_another_type_is_a_difference(name: str, value: Any, words: str) -> None:
    assert said([ROW], [ROW | {name: value}]) == [words]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": "b"}, "rows only expected"),
        ({"day": date(2024, 1, 2)}, "rows only found"),
        ({"is_new": None}, "rows only"),
        ({"count": 4}, "rows only"),
        ({"rate": 0.5 + 2 * TOLERANCE}, "rate is off in 1 rows"),
        ({"rate": None}, "rate is off in 1 rows, by inf"),
        ({"rate": math.nan}, "rate is off in 1 rows, by inf"),
        ({"other": 1}, "columns on one side only: other"),
    ],
)
def test_each_kind_of_difference_is_said(changed: dict[str, Any], words: str) -> None:
    assert any(words in what for what in said([ROW], [ROW | changed]))


def test_a_missing_and_a_doubled_row_are_told_by_their_number() -> None:
    assert said([ROW, ROW], [ROW]) == ["2 rows expected, 1 found"]
    twice = [ROW, ROW, ROW | {"id": "b"}]
    assert any("rows only" in what for what in said(twice, [ROW, *twice[2:], twice[2]]))


def test_a_score_may_be_off_by_more_than_other_numbers() -> None:
    gap = (TOLERANCE + SCORE_TOLERANCE) / 2
    assert said([{"id": 1, "score": 0.5}], [{"id": 1, "score": 0.5 + gap}]) == []
    assert said([{"id": 1, "rate": 0.5}], [{"id": 1, "rate": 0.5 + gap}]) != []


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.randoms())
def test_shuffled_fractions_of_equal_keys_are_the_same(values: list[float], random: Any) -> None:
    rows = [{"id": "same", "rate": value} for value in values]
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert said(rows, shuffled) == []
