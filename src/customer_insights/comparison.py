"""Whether two engines gave the same table: same columns, same rows, numbers within a tolerance."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

TOLERANCE = 1e-6
# A score passes through float32 trees, a logistic function and a text on its way.
SCORE_TOLERANCE = 1e-5
SCORES = frozenset({"score", "contribution", "sentiment_score"})

# What is of a build or of an engine, not of the data: when it ran, with which versions, and
# fingerprints of values as an engine writes them.
OF_THE_BUILD = frozenset(
    {
        "artifact_sha256",
        "assigned_at",
        "decided_at",
        "detected_at",
        "features_hash",
        "invocation_id",
        "library_versions",
        "run_started_at",
        "scored_at",
    }
)
# Public tables to which each build adds what it did.
LOGS = ("model_runs", "retraining_triggers", "text_scoring_runs")
# Public tables that say when things ran and how long they took: no two builds give the same.
OF_THE_CLOCK = ("pipeline_runs", "runtime_trends")
SHOWN = 3

Row = Mapping[str, Any]
Grouped = dict[tuple[Any, ...], list[Row]]


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same, in words."""

    table: str
    what: str

    def __str__(self) -> str:
        """The table and what differs in it."""
        return f"{self.table}: {self.what}"


def differences(table: str, expected: Sequence[Row], found: Sequence[Row]) -> list[Difference]:
    """Everything in which two readings of a table differ; none where they are the same.

    A column holds values of the same kind on both sides: a date is no time, and a whole number no
    fraction or boolean. Rows are matched by all of their exact values (texts, dates, whole numbers,
    booleans), whatever their order. Fractions of matched rows are compared within a tolerance.
    """
    if len(expected) != len(found):
        return [Difference(table, f"{len(expected)} rows expected, {len(found)} found")]
    if not expected:
        return []
    columns, others = set(expected[0]), set(found[0])
    if columns != others:
        names = ", ".join(sorted(columns ^ others))
        return [Difference(table, f"columns on one side only: {names}")]
    compared = sorted(columns - OF_THE_BUILD)
    kinds = {name: (_kinds(name, expected), _kinds(name, found)) for name in compared}
    # A column of nulls has no kind: that the other side has values is said below.
    of_others = {name: both for name, both in kinds.items() if all(both) and both[0] != both[1]}
    if of_others:
        return [
            Difference(table, f"{name} holds {_listed(here)} expected, {_listed(there)} found")
            for name, (here, there) in of_others.items()
        ]
    fractions = [name for name in compared if set.union(*kinds[name]) & {float, Decimal}]
    exact = [name for name in compared if name not in fractions]
    before, after = _by_exact_values(exact, expected), _by_exact_values(exact, found)
    return [
        *_rows_on_one_side(table, exact, before, after),
        *_other_numbers(table, exact, fractions, before, after),
    ]


def _kinds(name: str, rows: Sequence[Row]) -> set[type]:
    return {type(row[name]) for row in rows} - {type(None)}


def _listed(kinds: set[type]) -> str:
    return " and ".join(sorted(kind.__name__ for kind in kinds))


def _rows_on_one_side(
    table: str, exact: Sequence[str], before: Grouped, after: Grouped
) -> Iterable[Difference]:
    for side, here, there in (("expected", before, after), ("found", after, before)):
        only = [key for key in here if len(here[key]) != len(there.get(key, ()))]
        for key in sorted(only, key=str)[:SHOWN]:
            shown = dict(zip(exact, key, strict=True))
            yield Difference(table, f"{len(only)} rows only {side}, such as {shown}")


def _other_numbers(
    table: str, exact: Sequence[str], fractions: Sequence[str], before: Grouped, after: Grouped
) -> Iterable[Difference]:
    matched = [(key, rows, after[key]) for key, rows in before.items() if key in after]
    for name in fractions:
        tolerance = SCORE_TOLERANCE if name in SCORES else TOLERANCE
        far = [
            (gap, key)
            for key, here, there in matched
            for left, right in _pairs(name, here, there)
            # Almost all are equal, and a comparison is cheaper than a gap.
            if left != right and (gap := _gap(_number(left), _number(right))) > tolerance
        ]
        if far:
            gap, key = max(far, key=lambda entry: (entry[0], str(entry[1])))
            shown = dict(zip(exact, key, strict=True))
            yield Difference(table, f"{name} is off in {len(far)} rows, by {gap:.3g} in {shown}")


def _pairs(name: str, here: Sequence[Row], there: Sequence[Row]) -> Iterable[tuple[Any, Any]]:
    """The values of a column in rows that are alike otherwise: in the order of the values."""
    if len(here) == len(there) == 1:
        return ((here[0][name], there[0][name]),)
    left, right = (
        sorted((_number(row[name]) for row in rows), key=_rank) for rows in (here, there)
    )
    return zip(left, right, strict=False)


def _by_exact_values(exact: Sequence[str], rows: Sequence[Row]) -> Grouped:
    grouped: Grouped = defaultdict(list)
    for row in rows:
        grouped[tuple(row[name] for name in exact)].append(row)
    return grouped


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _rank(value: float | None) -> tuple[bool, float]:
    return (value is None, value or 0.0)


def _gap(left: float | None, right: float | None) -> float:
    """Relative above 1, absolute below; null is equal to null only."""
    if left is None or right is None:
        return 0.0 if left is right else math.inf
    if math.isnan(left) or math.isnan(right):
        return 0.0 if math.isnan(left) and math.isnan(right) else math.inf
    return abs(left - right) / max(1.0, abs(left))
