"""Rows of one visitor, customer or product: how many stand for themselves, and who is drawn."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from customer_insights.alike import design_effect, effective_rows, subjects_of


def table(**columns: str) -> pa.Table:
    return pa.table({"row": range(6)} | {name: list(values) for name, values in columns.items()})


def test_who_comes_often_stands_for_less() -> None:
    rows = table(of_two="aabbcc", of_many="aaaabc", customer="aabbcc", product="aaabbb")
    assert effective_rows(rows, []) == 6
    assert effective_rows(rows, ["of_two"]) == 3
    # 36 / (16 + 1 + 1)
    assert effective_rows(rows, ["of_many"]) == 2
    assert effective_rows(rows, ["customer", "product"]) == 2
    assert effective_rows(rows.slice(0, 0), ["customer", "product"]) == 0


def test_rows_are_about_the_fewer_of_those_that_they_are_alike_in() -> None:
    rows = table(customer="bbaacc", product="xxyxyy")
    assert subjects_of(rows, []) is None
    for alike, expected in (
        (["customer"], [0, 0, 1, 1, 2, 2]),
        (["customer", "product"], [0, 0, 1, 0, 1, 1]),
        (["product", "customer"], [0, 0, 1, 0, 1, 1]),
    ):
        subjects = subjects_of(rows, alike)
        assert subjects is not None
        assert subjects.tolist() == expected


def test_encoded_and_chunked_rows_are_about_the_same() -> None:
    rows = table(visitor="bbaacb")
    encoded = pa.table({"visitor": rows["visitor"].dictionary_encode()})
    chunked = pa.concat_tables([encoded.slice(2, 3), encoded.slice(0, 2), encoded.slice(5)])
    for made, expected in ((encoded, [0, 0, 1, 1, 2, 0]), (chunked, [0, 0, 1, 2, 2, 2])):
        subjects = subjects_of(made, ["visitor"])
        assert subjects is not None
        assert subjects.tolist() == expected
    subjects = subjects_of(rows.slice(0, 0), ["visitor"])
    assert subjects is not None
    assert subjects.tolist() == []


def test_a_sum_is_as_unsure_as_its_subjects_make_it() -> None:
    values = np.array([1.0, 1.0, -1.0, -1.0])
    assert design_effect(values, None) == 1
    assert design_effect(values, np.arange(4)) == 1
    assert design_effect(values, np.array([0, 0, 1, 1])) == 2
    # Who errs one way and then the other takes nothing from the chance of the rest.
    assert design_effect(values, np.array([0, 1, 0, 1])) == 1
    # What all have in common is no likeness of some.
    shifted = values + 5
    assert design_effect(shifted, np.array([0, 0, 1, 1])) == pytest.approx(2)


def test_values_that_differ_by_rounding_alone_are_not_alike() -> None:
    values = np.full(1000, 0.1)
    values[::7] = np.nextafter(0.1, 1)
    assert design_effect(values, np.arange(1000) // 100) == 1
