"""The same training set has the same fingerprint, and no other has it."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from customer_insights.fingerprint import round_to_significant, training_set_hash

SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("session_on", pa.date32()),
        ("is_purchase", pa.bool_()),
        ("pages", pa.int64()),
        ("amount", pa.float64()),
    ]
)
Row = dict[str, Any]

rows_of = st.fixed_dictionaries(
    {
        "session_id": st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=3)),
        "session_on": st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2050, 1, 1))),
        "is_purchase": st.one_of(st.none(), st.booleans()),
        "pages": st.one_of(st.none(), st.integers(-1000, 1000)),
        # Eight digits: what engines make of them differs only far behind.
        "amount": st.one_of(
            st.none(),
            st.builds(
                lambda digits, exponent: digits * 10.0**exponent,
                st.integers(-99_999_999, 99_999_999),
                st.integers(-12, 6),
            ),
        ),
    }
)
tables = st.lists(rows_of, max_size=8)


def table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def hash_of(values: list[Any], kind: pa.DataType) -> str:
    return training_set_hash(pa.table({"x": pa.array(values, kind)}))


@given(tables, st.integers(0, 8))
def test_how_columns_are_cut_into_chunks_changes_nothing(rows: list[Row], cut: int) -> None:
    parts = [table(rows[:cut]), table(rows[cut:])]
    assert training_set_hash(pa.concat_tables(parts)) == training_set_hash(table(rows))
    whole = pa.concat_tables([table(rows), table(rows)])
    assert training_set_hash(whole.slice(len(rows))) == training_set_hash(table(rows))


@given(tables, st.floats(-3e-15, 3e-15))
def test_noise_of_an_engine_in_the_last_digits_changes_nothing(
    rows: list[Row], noise: float
) -> None:
    shaken = [
        row | {"amount": None if row["amount"] is None else row["amount"] * (1 + noise)}
        for row in rows
    ]
    assert training_set_hash(table(shaken)) == training_set_hash(table(rows))


def test_a_difference_in_the_ninth_digit_counts_and_one_in_the_tenth_does_not() -> None:
    kind = pa.float64()
    assert hash_of([1.23456789], kind) == hash_of([1.2345678901], kind)
    assert hash_of([1.23456789], kind) != hash_of([1.23456788], kind)
    assert hash_of([1.23456789e-30], kind) != hash_of([1.23456788e-30], kind)


@given(tables, st.data())
def test_a_change_of_any_value_changes_the_fingerprint(
    rows: list[Row], data: st.DataObject
) -> None:
    assume(rows)
    place = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(SCHEMA.names))
    other = data.draw(rows_of)[name]
    assume(other != rows[place][name])
    changed = [row | {name: other} if n == place else row for n, row in enumerate(rows)]
    assert training_set_hash(table(changed)) != training_set_hash(table(rows))


@given(tables, st.data())
def test_the_order_of_rows_counts(rows: list[Row], data: st.DataObject) -> None:
    order = data.draw(st.permutations(rows))
    assume(order != rows)
    assert training_set_hash(table(order)) != training_set_hash(table(rows))


@given(tables, rows_of)
def test_one_row_more_changes_the_fingerprint(rows: list[Row], row: Row) -> None:
    assert training_set_hash(table([*rows, row])) != training_set_hash(table(rows))


def test_the_names_and_the_order_of_columns_count() -> None:
    rows = pa.table({"a": [1.0], "b": [1.0]})
    hashes = {
        training_set_hash(each)
        for each in (
            rows,
            rows.rename_columns(["a", "c"]),
            rows.select(["b", "a"]),
            rows.select(["a"]),
        )
    }
    assert len(hashes) == 4


def test_null_an_empty_text_and_a_placeholder_are_three_things() -> None:
    assert len({hash_of([value], pa.string()) for value in (None, "", "~", "null", " ")}) == 5


def test_null_is_not_zero_and_not_false() -> None:
    assert hash_of([None], pa.float64()) != hash_of([0.0], pa.float64())
    assert hash_of([None], pa.bool_()) != hash_of([False], pa.bool_())


def test_texts_that_join_to_the_same_letters_differ() -> None:
    assert hash_of(["ab", "c"], pa.string()) != hash_of(["a", "bc"], pa.string())


def test_zero_has_no_sign() -> None:
    assert hash_of([-0.0], pa.float64()) == hash_of([0.0], pa.float64())


def test_a_number_is_the_same_in_every_type_that_engines_give_it() -> None:
    whole = {hash_of([3, None], kind) for kind in (pa.int32(), pa.int64(), pa.decimal128(38, 0))}
    broken = {
        hash_of([Decimal("3.25"), None], pa.decimal128(18, 2)),
        hash_of([Decimal("3.25"), None], pa.decimal128(38, 4)),
        hash_of([3.25, None], pa.float64()),
        hash_of([3.25, None], pa.float32()),
    }
    assert len(whole) == len(broken) == 1


def test_a_text_is_the_same_in_every_text_type_of_an_engine() -> None:
    assert hash_of(["a", None], pa.large_string()) == hash_of(["a", None], pa.string())


def test_whole_numbers_count_to_the_last_digit() -> None:
    """A key is a number in some shops; two keys that share nine digits are two rows."""
    assert hash_of([10_000_000_001], pa.int64()) != hash_of([10_000_000_002], pa.int64())
    assert hash_of([2**60 + 1], pa.int64()) != hash_of([2**60 + 2], pa.int64())


def test_a_moment_counts_to_the_second() -> None:
    noon = datetime(2024, 1, 1, 12)
    kind = pa.timestamp("us")
    assert hash_of([noon], kind) != hash_of([noon + timedelta(seconds=1)], kind)


def test_a_table_without_rows_has_a_fingerprint_that_knows_its_columns() -> None:
    empty = table([])
    no_chunks = pa.table(
        {field.name: pa.chunked_array([], field.type) for field in SCHEMA}, schema=SCHEMA
    )
    assert training_set_hash(empty) == training_set_hash(no_chunks)
    assert training_set_hash(empty) != training_set_hash(empty.select(["session_id"]))
    assert len(training_set_hash(empty)) == hashlib.sha256().digest_size * 2


@pytest.mark.parametrize("values", [["", ""], [None, None], []])
def test_a_text_column_without_a_letter_has_a_fingerprint(values: list[str | None]) -> None:
    assert len(hash_of(values, pa.string())) == 64


def test_the_fingerprint_is_the_same_in_another_process_and_on_another_day() -> None:
    rows = pa.table(
        {
            "session_id": ["ü1", "", None],
            "is_purchase": [True, False, None],
            "amount": [1 / 3, -0.0, None],
        }
    )
    assert training_set_hash(rows) == (
        "58e0c020ea6ee74011e5d6f957c7185a147a67ad33f8c45dd9a081fee080a0e7"
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_stays_within_half_of_the_ninth_digit(number: float) -> None:
    (rounded,) = round_to_significant(np.array([number]))
    if 1e-290 < abs(number) < 1e290:
        assert abs(rounded - number) <= abs(number) * 5.0001e-9


def test_what_is_not_finite_stays_as_it_is() -> None:
    values = np.array([np.inf, -np.inf, np.nan, 0.0])
    np.testing.assert_array_equal(round_to_significant(values), values)
