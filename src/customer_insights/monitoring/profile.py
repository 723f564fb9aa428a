"""A version's training profile: how its features, scores and labels were spread, in bins.

What comes later is counted into the same bins, which come from the reference alone. A number has at
most `NUMBER_BINS` bins with about as many training rows each; edges lie between two values that
occur, where hardly a value will ever lie, so that a last digit that an engine reads otherwise puts
no row into another bin. A category has a bin for each common level and one for all others, seen or
not. Missing values have a bin of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from customer_insights.catalog import Feature
from customer_insights.metrics import Floats, Labels
from customer_insights.model import Examples, TrainedModel

NUMBER_BINS = 10
# Levels with a smaller share of the training rows are counted together: in a bin that expects
# hardly a row, the one that comes looks like a shift.
MIN_LEVEL_SHARE = 0.02
# Known levels of a column that are listed at most.
MOST_LEVELS = 100
# Features whose best split makes two slices of the rows.
SPLIT_FEATURES = 5
# A lowest value that as many rows have makes a slice. As many as a bin, so that it ends one.
MIN_VALUE_SHARE = 1 / NUMBER_BINS
# Where an edge lies between two values: not midway, where of 0.1 and 0.3 another value lies.
SECTION = (3 - 5**0.5) / 2
# How far, per size of a number, it may lie beside itself.
NEAR = 1e-9
MISSING_BIN = -1
SCORE, LABEL = "score", "label"


@dataclass(frozen=True)
class Bin:
    """One bin of a column; of levels, one level of a bin.

    `upper_edge` is above the largest number in it, None in the last bin; `category` the level, None
    for all that are not listed. `mean_value` is the mean of the training rows' numbers in it.
    `test_squared_error` sums (score - outcome)^2 over the test rows in it.
    """

    column_name: str
    kind: str
    bin: int
    upper_edge: float | None
    category: str | None
    mean_value: float | None
    reference_rows: int
    test_rows: int
    test_squared_error: float


@dataclass(frozen=True)
class Slice:
    """Rows that are looked at apart: those in the bins from `first_bin` to `last_bin`."""

    slice: str
    column_name: str
    first_bin: int
    last_bin: int


@dataclass(frozen=True)
class TrainingProfile:
    """Bins of every feature, of the score and of the label, and the slices made of them."""

    bins: tuple[Bin, ...]
    slices: tuple[Slice, ...]

    def columns(self) -> dict[str, str]:
        """Itself as columns of the decision log: JSON arrays of objects."""
        return {
            "profile": json.dumps([asdict(each) for each in self.bins]),
            "slices": json.dumps([asdict(each) for each in self.slices]),
        }


def training_profile(
    model: TrainedModel, train: Examples, test: Examples, test_scores: Floats
) -> TrainingProfile:
    """The profile of a model: features and labels of the train rows, scores of the test rows.

    Scores of train rows would flatter the reference: the model has learned those rows.

    Args:
        model: the trained model.
        train: the rows that it learned from, at least one.
        test: later rows that it has not seen, at least one.
        test_scores: their scores, shape (test rows,).

    """
    return columns_profile(model.encoder.features, best_splits(model), train, test, test_scores)


def columns_profile(
    features: Sequence[Feature],
    thresholds: Mapping[str, float],
    train: Examples,
    test: Examples,
    test_scores: Floats,
) -> TrainingProfile:
    """The profile of some columns, of the scores and of the labels.

    Args:
        features: the columns: numbers, categories and booleans.
        thresholds: a value of some of the numbers that parts slices.
        train: as `training_profile` takes it.
        test: as `training_profile` takes it.
        test_scores: as `training_profile` takes them.

    """
    errors = (test_scores - test.labels) ** 2
    bins: list[Bin] = []
    slices: list[Slice] = []
    for feature in features:
        column = _column(
            feature, train.rows.column(feature.name), test.rows.column(feature.name), errors
        )
        found = column.bins(thresholds.get(feature.name))
        bins += found
        slices += column.slices(found, thresholds.get(feature.name))
    scores = pa.chunked_array([pa.array(test_scores)])
    bins += Numbers(SCORE, scores, scores, errors).bins()
    bins += Levels(LABEL, _texts(train.labels), _texts(test.labels), errors).bins()
    return TrainingProfile(tuple(bins), tuple(slices))


def best_splits(model: TrainedModel) -> dict[str, float]:
    """Of the features that the trees gain most by, the threshold that each gains most by.

    Gain is XGBoost's: the fall of the loss by a split, added up over all trees
    (https://xgboost.readthedocs.io/en/stable/python/python_api.html, `get_dump`).
    """
    numbers = {f.name for f in model.encoder.features if f.kind == "number"}
    gains: dict[str, dict[float, float]] = {}
    nodes = [
        json.loads(tree) for tree in model.booster.get_dump(dump_format="json", with_stats=True)
    ]
    while nodes:
        node = nodes.pop()
        nodes += node.get("children", [])
        if node.get("split") in numbers:
            of_feature = gains.setdefault(node["split"], {})
            threshold = float(node["split_condition"])
            of_feature[threshold] = of_feature.get(threshold, 0.0) + float(node["gain"])
    ranked = sorted(gains, key=lambda name: (-sum(gains[name].values()), name))
    return {
        name: max(gains[name], key=lambda value: (gains[name][value], value))
        for name in ranked[:SPLIT_FEATURES]
    }


def _column(
    feature: Feature, train: pa.ChunkedArray, test: pa.ChunkedArray, errors: Floats
) -> Numbers | Levels:
    if feature.kind == "number":
        return Numbers(feature.name, train, test, errors)
    return Levels(feature.name, train.cast(pa.string()), test.cast(pa.string()), errors)


def _texts(labels: Labels) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(labels)]).cast(pa.string())


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: training rows, test rows, and the squared error of each of these."""

    name: str
    train: pa.ChunkedArray
    test: pa.ChunkedArray
    errors: Floats

    def bins(self, threshold: float | None = None) -> list[Bin]:
        """Bins by quantiles of the training rows; an edge lies at the split's threshold too."""
        train, test = float_values(self.train), float_values(self.test)
        known = np.sort(train[~np.isnan(train)])
        edges = self._edges(known, threshold)
        train_bins, test_bins = number_bins(train, edges), number_bins(test, edges)
        return [
            Bin(
                column_name=self.name,
                kind="number",
                bin=number,
                upper_edge=float(edges[number]) if 0 <= number < len(edges) else None,
                category=None,
                mean_value=_mean(train[train_bins == number]),
                reference_rows=int(np.sum(train_bins == number)),
                test_rows=int(np.sum(test_bins == number)),
                test_squared_error=float(np.sum(self.errors[test_bins == number])),
            )
            for number in [*range(len(edges) + 1), MISSING_BIN]
        ]

    def slices(self, bins: list[Bin], threshold: float | None) -> list[Slice]:
        """The rows on either side of the best split, and those with a common lowest value.

        Often that is zero, for none at all, and means something of its own. A feature without a
        split has no slices.
        """
        if threshold is None:
            return []
        train = float_values(self.train)
        known = np.sort(train[~np.isnan(train)])
        values = {_below(known, threshold)}
        if np.mean(known == known[0]) >= MIN_VALUE_SHARE:
            values.add(float(known[0]))
        slices = []
        for value in sorted(each for each in values if each is not None and each < known[-1]):
            last = next(each.bin for each in bins if each.upper_edge == _edge_above(known, value))
            highest = max(each.bin for each in bins)
            sign = "=" if value == known[0] else "<="
            slices += [
                Slice(f"{self.name} {sign} {value:g}", self.name, 0, last),
                Slice(f"{self.name} > {value:g}", self.name, last + 1, highest),
            ]
        return slices

    def _edges(self, known: Floats, threshold: float | None) -> Floats:
        finite = known[np.isfinite(known)]
        if not len(finite):
            return np.empty(0)
        shares = np.arange(1, NUMBER_BINS) / NUMBER_BINS
        highest = {float(value) for value in np.quantile(finite, shares, method="inverted_cdf")}
        split = None if threshold is None else _below(finite, threshold)
        if split is not None:
            highest.add(split)
        edges = [_edge_above(finite, value) for value in sorted(highest)]
        if finite[0] == finite[-1]:
            # Of a constant, anything below is news, too.
            edges.insert(0, 2 * float(finite[0]) - edges[0])
        return np.array(edges)


@dataclass(frozen=True)
class Levels:
    """A column of levels: training rows, test rows, and the squared error of each of these."""

    name: str
    train: pa.ChunkedArray
    test: pa.ChunkedArray
    errors: Floats

    def bins(self, threshold: float | None = None) -> list[Bin]:
        """A bin for each common level, in alphabetical order, and one for all others.

        The other known levels are listed in theirs, the most frequent ones, so that a level that
        was never seen can be told from a rare one.
        """
        del threshold
        counts = _level_counts(self.train)
        least = MIN_LEVEL_SHARE * len(self.train)
        common = [level for level in sorted(counts) if counts[level] >= least]
        rare = sorted(set(counts) - set(common), key=lambda level: (-counts[level], level))
        listed: list[str | None] = [*common, *sorted(rare[: MOST_LEVELS - len(common)])]
        train_places = level_places(self.train, listed)
        test_places = level_places(self.test, listed)
        others = len(common)
        places = [*range(len(listed) + 1), MISSING_BIN]
        return [
            Bin(
                column_name=self.name,
                kind="level",
                bin=min(place, others),
                upper_edge=None,
                category=listed[place] if 0 <= place < len(listed) else None,
                mean_value=None,
                reference_rows=int(np.sum(train_places == place)),
                test_rows=int(np.sum(test_places == place)),
                test_squared_error=float(np.sum(self.errors[test_places == place])),
            )
            for place in places
        ]

    def slices(self, bins: list[Bin], threshold: float | None) -> list[Slice]:
        """The rows of each common level, where there are two."""
        del threshold
        others = max(each.bin for each in bins)
        common = [each for each in bins if 0 <= each.bin < others]
        return [
            Slice(f"{self.name} = {each.category}", self.name, each.bin, each.bin)
            for each in common
            if len(common) > 1
        ]


def float_values(column: pa.ChunkedArray) -> Floats:
    """A column of numbers, shape (rows,); not a number where there is none."""
    values = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan"))
    return np.asarray(values, dtype=np.float64)


def _below(values: Floats, threshold: float) -> float | None:
    """The largest of some sorted values below a threshold; None where there is none."""
    position = int(np.searchsorted(values, threshold, side="left"))
    return float(values[position - 1]) if position else None


def _edge_above(values: Floats, value: float) -> float:
    """Between it and the next of some sorted values; just above the last one."""
    position = int(np.searchsorted(values, value, side="right"))
    if position < len(values) and np.isfinite(values[position]):
        return value + (float(values[position]) - value) * SECTION
    return value + max(abs(value), 1.0) * NEAR


def number_bins(values: Floats, edges: Floats) -> npt.NDArray[np.int64]:
    """The bin of each number; an edge belongs to the bin below it."""
    numbers = np.searchsorted(edges, values, side="left").astype(np.int64)
    numbers[np.isnan(values)] = MISSING_BIN
    return numbers


def _level_counts(column: pa.ChunkedArray) -> Mapping[str, int]:
    counted: list[dict[str, Any]] = pc.value_counts(column.drop_null()).to_pylist()
    return {entry["values"]: entry["counts"] for entry in counted}


def level_places(column: pa.ChunkedArray, levels: list[str | None]) -> npt.NDArray[np.int64]:
    """The place of each level among some, their number where it is none of them."""
    places = pc.index_in(column, value_set=pa.array(levels, pa.string()))
    numbers = np.asarray(pc.fill_null(places, len(levels)), dtype=np.int64)
    numbers[np.asarray(pc.is_null(column))] = MISSING_BIN
    return numbers


def _mean(values: Floats) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.mean(finite)) if len(finite) else None
