"""Rows that are alike: those of one visitor, customer or product tell less than as many others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer_insights.metrics import Floats, Subjects

# Values whose variance is a smaller share of their squares differ by rounding alone.
EQUAL = 1e-9


def effective_rows(rows: pa.Table, alike: Sequence[str]) -> int:
    """How many of some rows stand for themselves.

    Rows with one value count as if all were copies: the effective sample size is then the square of
    their number by the sum of the squares of the numbers that are alike (Kish, Survey Sampling,
    1965). Where rows are alike in two ways it is the smaller of the two.

    Args:
        rows: what is counted.
        alike: columns such that rows with one value are alike; none where each row is its own.

    """
    return min((_effective_rows(rows[column]) for column in alike), default=rows.num_rows)


def subjects_of(rows: pa.Table, alike: Sequence[str]) -> Subjects | None:
    """The number of whom or what each row is about, shape (rows,), from 0 on.

    Where rows are alike in two ways, in that in which fewer stand for themselves: its chance is the
    larger one.

    Args:
        rows: in key order; in another, subjects have other numbers.
        alike: as for `effective_rows`.

    Returns:
        None where each row is its own.

    """
    if not alike:
        return None
    coarsest = min(alike, key=lambda column: _effective_rows(rows[column]))
    column = rows[coarsest]
    # Each chunk may have a dictionary of its own.
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    numbers: Subjects = pc.index_in(column, column.unique()).to_numpy().astype(np.intp)
    return numbers


def design_effect(values: Floats, subjects: Subjects | None) -> float:
    """How many times as large the variance of a sum is because values of one subject are alike.

    A statistic that takes rows as independent is divided by it (Rao and Scott, On chi-squared tests
    for multiway contingency tables, Annals of Statistics, 1984).

    Args:
        values: shape (rows,).
        subjects: shape (rows,), whom or what each row is about; None where each is its own.

    Returns:
        At least 1.

    """
    if subjects is None:
        return 1.0
    centred = values - np.mean(values)
    apart = float(np.sum(centred**2))
    if apart <= EQUAL * float(np.sum(values**2)):
        return 1.0
    together = float(np.sum(np.bincount(subjects, centred) ** 2))
    return max(together / apart, 1.0)


def _effective_rows(column: pa.ChunkedArray) -> int:
    counts = [int(count) for count in column.value_counts().field("counts").to_pylist()]
    return sum(counts) ** 2 // sum(count * count for count in counts) if counts else 0
