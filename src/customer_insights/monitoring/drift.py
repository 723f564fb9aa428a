"""How far later rows lie from a version's training profile, and what that costs.

`macros/monitoring/drift_measures.sql` says the same of every window in SQL, where the rows are; a
test compares the two. Training asks here, because monitoring comes after it in a build.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from customer_insights.metrics import Floats
from customer_insights.monitoring.profile import (
    LABEL,
    MISSING_BIN,
    SCORE,
    float_values,
    level_places,
    number_bins,
)

# Test rows that the mean of all weighs as much as, in a bin's mean.
SHRINKAGE_ROWS = 20
# Half a row in each bin: an empty one has no infinite weight.
HALF_A_ROW = 0.5
NORMAL_95 = 1.959963984540054

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FeatureDrift:
    """One feature of some rows beside what a version learned from.

    `psi` is the population stability index, `psi_threshold` what it exceeds by chance alone at this
    number of rows and bins (None where there is one bin). `brier_change` is what the shift alone
    adds to the mean squared error, `brier_change_low` the lower end of its 95 % interval.
    """

    feature: str
    psi: float
    psi_threshold: float | None
    brier_change: float
    brier_change_low: float

    @property
    def is_drifted(self) -> bool:
        """Whether the index lies above chance."""
        return self.psi_threshold is not None and self.psi > self.psi_threshold


def measure_feature_drift(
    profile: str,
    rows: pa.Table,
    normal_deviate: float,
    design_effects: tuple[float, float] = (1.0, 1.0),
) -> tuple[FeatureDrift, ...]:
    """Drift of each feature of a profile that the rows have, in alphabetical order.

    Args:
        profile: a version's bins, as its decision stored them (`TrainingProfile.columns`).
        rows: rows that the version has not seen, at least one.
        normal_deviate: how far above chance an index is drift, in standard normal deviates.
        design_effects: of the training rows and of these, how many there are for each that stands
            for itself (Kish, Survey Sampling, 1965).

    """
    by_column: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(profile):
        by_column.setdefault(each["column_name"], []).append(each)
    present = sorted(set(by_column) & set(rows.column_names) - {SCORE, LABEL})
    return tuple(
        measure_drift(
            name, _binned(by_column[name], rows.column(name)), normal_deviate, design_effects
        )
        for name in present
    )


@dataclass(frozen=True)
class BinnedRows:
    """Rows of a column counted into the bins of a profile; each array has shape (bins,).

    `reference` counts training rows, `test` the version's test rows, whose squared errors
    `test_squared_error` sums, and `current` the rows that are looked at.
    """

    reference: Counts
    test: Counts
    test_squared_error: Floats
    current: Counts


def _binned(bins: Sequence[Mapping[str, Any]], column: pa.ChunkedArray) -> BinnedRows:
    numbers = sorted({each["bin"] for each in bins})
    places = {number: place for place, number in enumerate(numbers)}
    sums = np.zeros((3, len(numbers)))
    for each in bins:
        sums[:, places[each["bin"]]] += (
            each["reference_rows"],
            each["test_rows"],
            each["test_squared_error"],
        )
    found = _bins_of(bins, column)
    current = np.array([int(np.sum(found == number)) for number in numbers], dtype=np.int64)
    return BinnedRows(sums[0].astype(np.int64), sums[1].astype(np.int64), sums[2], current)


def _bins_of(bins: Sequence[Mapping[str, Any]], column: pa.ChunkedArray) -> Counts:
    """The bin of each row, as monitoring counts it."""
    known = [each for each in bins if each["bin"] != MISSING_BIN]
    if known[0]["kind"] == "number":
        edges = [each["upper_edge"] for each in sorted(known, key=lambda each: each["bin"])]
        return number_bins(float_values(column), np.array(edges[:-1], dtype=np.float64))
    listed = [each for each in known if each["category"] is not None]
    others = max(each["bin"] for each in known)
    # By place: those listed, then what is not, and last, which is place -1, what is missing.
    bin_of = np.array([*(each["bin"] for each in listed), others, MISSING_BIN], dtype=np.int64)
    places = level_places(column.cast(pa.string()), [each["category"] for each in listed])
    return bin_of[places]


def measure_drift(
    name: str,
    rows: BinnedRows,
    normal_deviate: float,
    design_effects: tuple[float, float] = (1.0, 1.0),
) -> FeatureDrift:
    """Drift of one feature, by its counts per bin.

    Args:
        name: of the feature.
        rows: its counts; some of the reference, of the test rows and of those looked at.
        normal_deviate: as `measure_feature_drift` takes it.
        design_effects: as `measure_feature_drift` takes them.

    """
    has_any = rows.reference + rows.current > 0
    reference_rows = float(rows.reference.sum()) / design_effects[0]
    current_rows = float(rows.current.sum()) / design_effects[1]
    bins = int(has_any.sum())
    p, q = _shares(rows.reference[has_any]), _shares(rows.current[has_any])
    # A bin of few test rows has its error from all of them.
    mean_error = rows.test_squared_error.sum() / rows.test.sum()
    errors: Floats = (rows.test_squared_error[has_any] + SHRINKAGE_ROWS * mean_error) / (
        rows.test[has_any] + SHRINKAGE_ROWS
    )
    change = float(np.sum((q - p) * errors))
    variance = _variance(p, errors) / reference_rows + _variance(q, errors) / current_rows
    return FeatureDrift(
        feature=name,
        psi=float(np.sum((q - p) * np.log(q / p))),
        psi_threshold=_psi_threshold(bins - 1, reference_rows, current_rows, normal_deviate),
        brier_change=change,
        brier_change_low=change - NORMAL_95 * float(np.sqrt(max(variance, 0.0))),
    )


def _shares(counts: Counts) -> Floats:
    smoothed = counts.astype(np.float64) + HALF_A_ROW
    shares: Floats = smoothed / smoothed.sum()
    return shares


def _variance(shares: Floats, errors: Floats) -> float:
    return float(np.sum(shares * errors**2) - np.sum(shares * errors) ** 2)


def _psi_threshold(
    degrees: int, reference_rows: float, current_rows: float, normal_deviate: float
) -> float | None:
    """A quantile of what the index is by chance alone.

    It is near a chi-squared variable of bins - 1 degrees of freedom times 1 / reference rows +
    1 / rows (Yurdakul, Statistical properties of the population stability index, 2018); its
    quantile is that of Wilson and Hilferty (1931).
    """
    if not degrees:
        return None
    spread = 2 / (9 * degrees)
    quantile = degrees * (1 - spread + normal_deviate * spread**0.5) ** 3
    return float(quantile * (1 / reference_rows + 1 / current_rows))
