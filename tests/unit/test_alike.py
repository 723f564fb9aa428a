"""Rows of one visitor, customer or product: how many stand for themselves, and who is drawn."""

from __future__ import annotations

import pyarrow as pa

from customer_insights.alike import effective_rows, subjects_of


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
