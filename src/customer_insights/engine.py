"""The one seam between Python and the engine: relations come in, Arrow tables go out.

Nothing else in the library knows which engine runs. A dbt Python model hands its `dbt.ref(...)`
objects to :func:`relation`; what it returns, an Arrow table or a stream of Arrow batches with
declared types, dbt writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from customer_insights.errors import EngineError


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

    def matching(self, other: Relation, keys: Sequence[str]) -> Relation:
        """Rows whose keys stand in another relation."""

    def not_matching(self, other: Relation, keys: Sequence[str]) -> Relation:
        """Rows whose keys do not stand in another relation."""

    def renamed(self, old: str, new: str) -> Relation:
        """The same rows, one column under another name."""

    def sorted_by(self, *columns: str) -> Relation:
        """Rows in the order of some columns, ascending."""

    def read(self) -> pa.Table:
        """All rows, as one Arrow table."""

    def read_batches(self, batch_rows: int) -> Iterator[pa.RecordBatch]:
        """All rows, as Arrow batches of at most `batch_rows` rows."""


class DuckDBRelation(Relation):
    """A relation of DuckDB."""

    def __init__(self, rows: duckdb.DuckDBPyRelation) -> None:
        self._rows = rows

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name.lower() for name in self._rows.columns)

    def select(self, *columns: str) -> DuckDBRelation:
        return DuckDBRelation(self._rows.select(*map(duckdb.ColumnExpression, columns)))

    def equal_to(self, column: str, value: object) -> DuckDBRelation:
        condition = duckdb.ColumnExpression(column) == duckdb.ConstantExpression(value)
        return DuckDBRelation(self._rows.filter(condition))

    def at_least(self, column: str, value: object) -> DuckDBRelation:
        condition = duckdb.ColumnExpression(column) >= duckdb.ConstantExpression(value)
        return DuckDBRelation(self._rows.filter(condition))

    def matching(self, other: Relation, keys: Sequence[str]) -> DuckDBRelation:
        return self._joined(other, keys, "semi")

    def not_matching(self, other: Relation, keys: Sequence[str]) -> DuckDBRelation:
        return self._joined(other, keys, "anti")

    def renamed(self, old: str, new: str) -> DuckDBRelation:
        columns = [
            duckdb.ColumnExpression(name).alias(new if name == old else name)
            for name in self.columns
        ]
        return DuckDBRelation(self._rows.select(*columns))

    def _joined(self, other: Relation, keys: Sequence[str], how: str) -> DuckDBRelation:
        if not isinstance(other, DuckDBRelation):
            raise EngineError("Two relations of different engines cannot be joined.")
        # Keys are column names of our own tables, never text from a user.
        condition = " and ".join(f'l."{key}" = r."{key}"' for key in keys)
        left, right = self._rows.set_alias("l"), other._rows.set_alias("r")
        return DuckDBRelation(left.join(right, condition, how=how))

    def sorted_by(self, *columns: str) -> DuckDBRelation:
        return DuckDBRelation(self._rows.sort(*map(duckdb.ColumnExpression, columns)))

    def read(self) -> pa.Table:
        return self._rows.to_arrow_table()

    def read_batches(self, batch_rows: int) -> Iterator[pa.RecordBatch]:
        yield from self._rows.to_arrow_reader(batch_rows)


def relation(rows: object) -> Relation:
    """What a dbt Python model gets from `dbt.ref`, as a :class:`Relation`.

    Raises:
        EngineError: the object is of an engine that this version does not know.

    """
    if isinstance(rows, duckdb.DuckDBPyRelation):
        return DuckDBRelation(rows)
    raise EngineError(
        f"Python models run on DuckDB; {type(rows).__module__}.{type(rows).__qualname__} "
        "is of another engine."
    )


def past_rows(dbt: Any, session: Any) -> Relation | None:
    """The rows that an incremental Python model wrote before; None on its first build."""
    if not dbt.is_incremental:
        return None
    return relation(session.table(str(dbt.this)))


def encode_repeated_texts(rows: pa.Table, names: Iterable[str]) -> pa.Table:
    """Keep each text of some columns once: categories then weigh four bytes a row."""
    for name in sorted(names):
        if pa.types.is_string(rows.schema.field(name).type):
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, name, rows.column(place).dictionary_encode())
    return rows


def table_of(rows: Iterable[dict[str, object]], schema: pa.Schema) -> pa.Table:
    """Rows as a typed Arrow table; no rows give an empty, typed table."""
    return pa.Table.from_pylist(list(rows), schema=schema)


def stream(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatchReader:
    """Batches as a stream that dbt writes without holding them all in memory."""
    return pa.RecordBatchReader.from_batches(schema, batches)
