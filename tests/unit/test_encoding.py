"""The same value is the same number in training and in serving."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_insights.catalog import Feature
from customer_insights.encoding import Encoder, fit_encoder

CHANNEL = Feature("channel", "category")
NUMBER = Feature("x", "number")

texts = st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=3))


def table(**columns: object) -> pa.Table:
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def encode_number(values: pa.Array) -> list[float]:
    encoded = Encoder((NUMBER,), {}).encode(pa.table({"x": values}))
    assert encoded.dtype == np.float32
    return [float(value) for value in encoded[:, 0]]


@given(st.data(), st.lists(texts, max_size=20))
def test_codes_do_not_depend_on_the_order_of_training_rows(
    data: st.DataObject, values: list[str | None]
) -> None:
    shuffled = data.draw(st.permutations(values))
    column = pa.array(values, pa.string())
    one = fit_encoder(pa.table({"channel": column}), [CHANNEL])
    other = fit_encoder(pa.table({"channel": pa.array(shuffled, pa.string())}), [CHANNEL])
    assert one == other


@given(st.lists(texts, max_size=15), st.lists(texts, max_size=15))
def test_a_value_has_the_code_it_had_in_training_and_a_new_value_or_null_has_none(
    trained: list[str | None], served: list[str | None]
) -> None:
    training = pa.table({"channel": pa.array(trained, pa.string())})
    encoder = fit_encoder(training, [CHANNEL])
    codes = dict(zip(trained, encoder.encode(training)[:, 0], strict=True))
    serving = encoder.encode(pa.table({"channel": pa.array(served, pa.string())}))[:, 0]
    for value, code in zip(served, serving, strict=True):
        if value is None or value not in codes:
            assert np.isnan(code)
        else:
            assert code == codes[value]


def test_each_level_has_a_code_of_its_own_in_alphabetical_order() -> None:
    rows = table(channel=["mail", None, "ads", "mail", "Ads", ""])
    encoder = fit_encoder(rows, [CHANNEL])
    assert encoder.levels == {"channel": ("", "Ads", "ads", "mail")}
    np.testing.assert_array_equal(encoder.encode(rows)[:, 0], [3, np.nan, 2, 3, 1, 0])


def test_a_batch_of_serving_rows_is_encoded_like_a_table_of_them() -> None:
    rows = table(channel=["mail", None, "ads"], x=[1.5, None, 2.5])
    encoder = fit_encoder(rows, [CHANNEL, NUMBER])
    (batch,) = rows.to_batches()
    np.testing.assert_array_equal(encoder.encode(batch), encoder.encode(rows))


def test_columns_are_found_by_name_and_other_columns_are_left_out() -> None:
    trained = table(channel=["mail", "ads"], x=[1.0, 2.0])
    encoder = fit_encoder(trained, [NUMBER, CHANNEL])
    served = table(other=[9.0], channel=["mail"], x=[7.0], more=["x"])
    np.testing.assert_array_equal(encoder.encode(served), [[7.0, 1.0]])
    assert encoder.feature_names == ["x", "channel"]
    assert encoder.feature_types == ["float", "c"]


@pytest.mark.parametrize(
    "make",
    [
        lambda values: pa.array(values, pa.int32()),
        lambda values: pa.array(values, pa.int64()),
        lambda values: pa.array(values, pa.float32()),
        lambda values: pa.array(values, pa.float64()),
        lambda values: pa.array(
            [None if value is None else Decimal(value) for value in values], pa.decimal128(38, 4)
        ),
    ],
    ids=["int32", "int64", "float32", "float64", "decimal"],
)
def test_a_number_is_the_same_in_every_type_that_an_engine_may_give_it(
    make: Callable[[list[int | None]], pa.Array],
) -> None:
    np.testing.assert_array_equal(encode_number(make([3, None, -2, 0])), [3, np.nan, -2, 0])


def test_a_decimal_keeps_its_fraction() -> None:
    values = pa.array([Decimal("12.25"), Decimal("-0.50")], pa.decimal128(18, 2))
    assert encode_number(values) == [12.25, -0.5]


def test_a_whole_number_too_large_for_float32_is_rounded_not_refused() -> None:
    assert encode_number(pa.array([2**24 + 1, 2**40 + 1], pa.int64())) == [2.0**24, 2.0**40]


def test_a_boolean_is_one_zero_or_missing() -> None:
    encoder = Encoder((Feature("x", "boolean"),), {})
    encoded = encoder.encode(table(x=[True, False, None]))[:, 0]
    np.testing.assert_array_equal(encoded, [1, 0, np.nan])


def test_a_category_may_be_a_number_or_a_boolean_in_the_warehouse() -> None:
    for values in ([2, 10, None], [True, False, None]):
        rows = table(channel=values)
        encoded = fit_encoder(rows, [CHANNEL]).encode(rows)[:, 0]
        assert len(set(encoded[:2])) == 2
        assert np.isnan(encoded[2])


def test_a_category_that_training_never_saw_filled_is_missing_for_everybody() -> None:
    encoder = fit_encoder(pa.table({"channel": pa.nulls(2, pa.string())}), [CHANNEL])
    assert np.isnan(encoder.encode(table(channel=["mail"]))[0, 0])


def test_a_column_that_is_all_null_is_missing_whatever_its_type() -> None:
    for kind in (pa.null(), pa.int32(), pa.decimal128(18, 2)):
        assert np.isnan(encode_number(pa.nulls(2, kind))).all()


@pytest.mark.parametrize("chunks", [[], [pa.array([], pa.string())]])
def test_no_rows_give_a_matrix_of_no_rows(chunks: list[pa.Array]) -> None:
    rows = pa.table(
        {
            "channel": pa.chunked_array(chunks, pa.string()),
            "x": pa.chunked_array([chunk.cast(pa.int64()) for chunk in chunks], pa.int64()),
        }
    )
    encoder = fit_encoder(rows, [CHANNEL, NUMBER])
    assert encoder.encode(rows).shape == (0, 2)
    batch = pa.RecordBatch.from_arrays(
        [pa.array([], column.type) for column in rows.columns], schema=rows.schema
    )
    assert encoder.encode(batch).shape == (0, 2)


@given(st.lists(texts, min_size=1, max_size=12), st.integers(0, 12))
def test_how_a_column_is_cut_into_chunks_changes_nothing(
    values: list[str | None], cut: int
) -> None:
    whole = pa.table({"channel": pa.array(values, pa.string())})
    column = pa.chunked_array([values[:cut], values[cut:]], pa.string())
    chunked = pa.table({"channel": column})
    encoder = fit_encoder(chunked, [CHANNEL])
    assert encoder == fit_encoder(whole, [CHANNEL])
    np.testing.assert_array_equal(encoder.encode(chunked), encoder.encode(whole))
