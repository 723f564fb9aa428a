"""The training profile: bins of the reference, and the slices made of them."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from customer_insights.catalog import Feature, FeatureKind
from customer_insights.metrics import Floats
from customer_insights.model import Examples, TrainedModel, fit
from customer_insights.monitoring.profile import (
    MISSING_BIN,
    Bin,
    Levels,
    Numbers,
    Slice,
    best_splits,
    training_profile,
)

ROWS = 2000


def numbers(train: Sequence[float | None], test: Sequence[float | None] | None = None) -> Numbers:
    held = train if test is None else test
    errors = np.full(len(held), 0.25)
    return Numbers("value", _column(train), _column(held), errors)


def levels(train: Sequence[str | None], test: Sequence[str | None] | None = None) -> Levels:
    held = train if test is None else test
    column = pa.chunked_array([pa.array(train, pa.string())])
    held_column = pa.chunked_array([pa.array(held, pa.string())])
    return Levels("kind", column, held_column, np.full(len(held), 0.25))


def _column(values: Sequence[float | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.float64())])


def edges(bins: list[Bin]) -> Sequence[float | None]:
    return [each.upper_edge for each in bins if each.bin != MISSING_BIN]


def rows(bins: list[Bin]) -> list[int]:
    return [each.reference_rows for each in bins]


def test_ten_bins_hold_as_many_training_rows_each() -> None:
    bins = numbers([float(value) for value in range(100)]).bins()

    assert rows(bins) == [10] * 10 + [0]
    below = [edge for edge in edges(bins) if edge is not None]
    assert np.floor(below).tolist() == [9, 19, 29, 39, 49, 59, 69, 79, 89]
    assert edges(bins)[-1] is None


def test_edges_lie_between_values_and_above_the_highest() -> None:
    bins = numbers([0.0] * 50 + [1.0] * 50).bins()

    between, above, last = edges(bins)
    assert between is not None
    assert 0 < between < 1
    assert above == pytest.approx(1.0)
    assert last is None
    assert rows(bins) == [50, 50, 0, 0]


def test_a_value_of_the_same_grid_is_on_no_edge() -> None:
    bins = numbers([value / 10 for value in range(0, 100, 2)]).bins()

    found = [edge for edge in edges(bins) if edge is not None]
    assert all(abs(edge * 10 - round(edge * 10)) > 0.1 for edge in found)


def test_a_last_digit_puts_no_row_into_another_bin() -> None:
    values = [float(value) / 3 for value in range(100)]
    other = [float(np.nextafter(value, np.inf)) for value in values]

    for train, test in ((values, other), (other, values), ([7.1] * 9, [np.nextafter(7.1, 8)] * 9)):
        bins = numbers(train, test).bins()
        assert rows(bins) == [each.test_rows for each in bins]


def test_anything_beside_a_constant_is_news() -> None:
    bins = numbers([3.0] * 10, [2.0, 3.0, 4.0]).bins()

    assert rows(bins) == [0, 10, 0, 0]
    assert [each.test_rows for each in bins] == [1, 1, 1, 0]


@pytest.mark.parametrize("values", [[None] * 5, [float("inf")] * 5, [float("nan")] * 5])
def test_a_column_without_a_finite_number_has_one_bin_beside_the_missing(
    values: Sequence[float | None],
) -> None:
    bins = numbers(values).bins()

    assert edges(bins) == [None]
    assert sum(rows(bins)) == len(values)
    assert bins[0].mean_value is None


def test_an_infinite_value_is_in_the_last_bin() -> None:
    bins = numbers([0.0, 1.0, 2.0, float("inf")]).bins()

    assert bins[-2].reference_rows == 1
    assert bins[-2].upper_edge is None


def test_edges_come_from_the_training_rows_alone() -> None:
    near = numbers([float(value) for value in range(100)], [1.0])
    far = numbers([float(value) for value in range(100)], [1e9])

    assert edges(near.bins()) == edges(far.bins())


def test_rare_levels_share_a_bin_and_are_listed_in_it() -> None:
    bins = levels(["b"] * 60 + ["a"] * 39 + ["rare"] + [None] * 5).bins()

    found = [(each.bin, each.category, each.reference_rows) for each in bins]
    assert found == [
        (0, "a", 39),
        (1, "b", 60),
        (2, "rare", 1),
        (2, None, 0),
        (MISSING_BIN, None, 5),
    ]


def test_a_level_of_the_test_rows_alone_is_among_the_others() -> None:
    bins = levels(["a"] * 10 + ["b"] * 10, ["new"] * 3).bins()

    assert [(each.bin, each.test_rows) for each in bins if each.test_rows] == [(2, 3)]
    assert sum(each.test_squared_error for each in bins) == pytest.approx(0.75)


def test_a_common_lowest_value_and_the_split_make_slices() -> None:
    column = numbers([0.0] * 50 + [float(value) for value in range(1, 51)])
    found = column.slices(column.bins(20.5), 20.5)

    assert [each.slice for each in found] == [
        "value = 0",
        "value > 0",
        "value <= 20",
        "value > 20",
    ]
    zero, above, low, high = found
    assert (zero.first_bin, zero.last_bin + 1) == (0, above.first_bin)
    assert (low.first_bin, low.last_bin + 1) == (0, high.first_bin)


def test_a_split_beside_all_rows_makes_no_slice() -> None:
    column = numbers([1.0, 2.0, 3.0] * 10)

    assert column.slices(column.bins(0.5), 0.5) == [
        Slice("value = 1", "value", 0, 0),
        Slice("value > 1", "value", 1, 3),
    ]
    assert column.slices(column.bins(), None) == []


def _model() -> tuple[TrainedModel, Examples, Examples, Floats]:
    kinds: dict[str, FeatureKind] = {
        "amount": "number",
        "plan": "category",
        "is_new": "boolean",
    }
    features = tuple(Feature(name, kind) for name, kind in kinds.items())
    generator = np.random.default_rng(7)
    amount = np.where(generator.random(ROWS) < 0.5, 0.0, generator.exponential(10.0, ROWS))
    is_positive = generator.random(ROWS) < np.where(amount > 5, 0.7, 0.2)
    table = pa.table(
        {
            "amount": amount,
            "plan": generator.choice(["free", "paid"], ROWS),
            "is_new": generator.random(ROWS) < 0.3,
        }
    )
    half = ROWS // 2
    train = Examples(table.slice(0, half), is_positive[:half])
    test = Examples(table.slice(half), is_positive[half:])
    model = fit(train, test, features, seed=1, threads=1)
    return model, train, test, model.score(test.rows, 1)


def test_the_best_split_is_found_in_the_trees() -> None:
    model, *_ = _model()

    assert best_splits(model)["amount"] == pytest.approx(5, abs=1)


def test_a_profile_counts_every_row_of_every_column_once() -> None:
    model, train, test, scores = _model()
    columns = training_profile(model, train, test, scores).columns()

    bins = json.loads(columns["profile"])
    names = {each["column_name"] for each in bins}
    assert names == {"amount", "plan", "is_new", "score", "label"}
    for name in names:
        of_column = [each for each in bins if each["column_name"] == name]
        reference = len(test.labels) if name == "score" else len(train.labels)
        assert sum(each["reference_rows"] for each in of_column) == reference
        assert sum(each["test_rows"] for each in of_column) == len(test.labels)
        assert sum(each["test_squared_error"] for each in of_column) == pytest.approx(
            np.sum((scores - test.labels) ** 2)
        )
    slices = {each["slice"] for each in json.loads(columns["slices"])}
    assert {"amount = 0", "plan = free", "is_new = true"} <= slices
