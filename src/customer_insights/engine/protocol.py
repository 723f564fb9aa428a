"""What every engine offers: relations to read, and a warehouse to write to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pyarrow as pa

InputKind = Literal["number", "category", "boolean", "date", "text"]


class Relation(Protocol):
    """Rows in the warehouse, not read yet. Column names are lower case."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, lower case."""

    def select(self, *columns: str) -> Relation:
        """Keep some columns, in this order."""

    def equal_to(self, column: str, value: object) -> Relation:
        """Rows in which a column has this value."""

    def at_least(self, column: str, value: object) -> Relation:
        """Rows in which a column has this value or a larger one."""

    def at_most(self, column: str, value: object) -> Relation:
        """Rows in which a column has this value or a smaller one."""

    def matching(self, other: Relation, keys: Sequence[str]) -> Relation:
        """Rows whose keys stand in another relation."""

    def not_matching(self, other: Relation, keys: Sequence[str]) -> Relation:
        """Rows whose keys do not stand in another relation."""

    def renamed(self, old: str, new: str) -> Relation:
        """The same rows, one column under another name."""

    def first(self, rows: int) -> Relation:
        """So many rows, the first ones of a sorted relation."""

    def sorted_by(self, *columns: str) -> Relation:
        """Rows in the order of some columns, ascending."""

    def row_counts(self, column: str) -> dict[Any, int]:
        """How many rows have each value of a column, by value; counted where the rows are."""

    def read(self) -> pa.Table:
        """All rows, as one Arrow table."""

    def fingerprint(self) -> str:
        """Equal where the rows are, in whatever order; of one engine, which makes it."""


@dataclass(frozen=True)
class Input:
    """A column that a step reads, and of which kind. Null stays null in all of them.

    An engine may hand over a boolean as 1.0 and 0.0, a date as text like 2024-06-30, and a number
    in any numeric type.
    """

    name: str
    kind: InputKind


class RowStep(Protocol):
    """Makes rows of rows, each for itself, so that it can run wherever the rows are.

    It can be written down (`to_json`) and read again there (`customer_insights.pushdown`).
    """

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The columns that it reads."""

    @property
    def added(self) -> pa.Schema:
        """The columns that it makes."""

    @property
    def rows_each(self) -> int:
        """How many rows it makes of one."""

    @property
    def batch_rows(self) -> int:
        """How many rows at a time are worth reading."""

    def apply(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Rows of `added`, `rows_each` for each row of the inputs, in their order."""

    def to_json(self) -> dict[str, Any]:
        """All that the step is, as values of JSON; `step` names its kind."""


@dataclass(frozen=True)
class Part:
    """Rows to make: a step over a relation, what is carried over as it is, and constants.

    `carried` maps names of the output to columns of the relation.
    """

    rows: Relation
    step: RowStep
    carried: Mapping[str, str]
    constants: Mapping[str, object]


@dataclass(frozen=True)
class Derived:
    """Rows to be made of other rows, where those are; no parts give an empty, typed table."""

    schema: pa.Schema
    parts: Iterable[Part]


class Warehouse(Protocol):
    """The engine that a Python model runs on."""

    def relation(self, rows: Any) -> Relation:
        """What a dbt Python model gets from `dbt.ref`, as a relation."""

    def past_rows(self) -> Relation | None:
        """The rows that an incremental Python model wrote before; None on its first build."""

    def write(self, rows: pa.Table | Derived) -> Any:
        """What the Python model returns, for dbt to store with the declared names and types."""
