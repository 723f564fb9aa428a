"""DuckDB, embedded: rows pass through this process as Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from customer_insights.engine.protocol import Derived, Part, Relation
from customer_insights.errors import EngineError


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

    def at_most(self, column: str, value: object) -> DuckDBRelation:
        condition = duckdb.ColumnExpression(column) <= duckdb.ConstantExpression(value)
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

    def first(self, rows: int) -> DuckDBRelation:
        return DuckDBRelation(self._rows.limit(rows))

    def sorted_by(self, *columns: str) -> DuckDBRelation:
        return DuckDBRelation(self._rows.sort(*map(duckdb.ColumnExpression, columns)))

    def row_counts(self, column: str) -> dict[Any, int]:
        counted = self._rows.aggregate(f'"{column}", count(*)', f'"{column}"')
        return dict(counted.fetchall())

    def read(self) -> pa.Table:
        return self._rows.to_arrow_table()

    def fingerprint(self) -> str:
        columns = ", ".join(f'"{name}"' for name in self._rows.columns)
        # Whole numbers: their sum does not depend on the order of rows.
        ((fingerprint,),) = self._rows.aggregate(
            f"count(*) || ':' || coalesce(sum(hash({columns})), 0)"
        ).fetchall()
        return str(fingerprint)

    def read_batches(self, batch_rows: int) -> Iterator[pa.RecordBatch]:
        """All rows, as Arrow batches of at most `batch_rows` rows."""
        yield from self._rows.to_arrow_reader(batch_rows)


class DuckDBWarehouse:
    """The database that dbt runs in."""

    def __init__(
        self,
        dbt: Any,
        session: duckdb.DuckDBPyConnection,
        packages: Sequence[str] = (),  # noqa: ARG002  (everything runs in this process)
    ) -> None:
        self._dbt = dbt
        self._session = session

    def relation(self, rows: duckdb.DuckDBPyRelation) -> DuckDBRelation:
        """A relation of DuckDB, to read."""
        return DuckDBRelation(rows)

    def past_rows(self) -> DuckDBRelation | None:
        """The model's own table before this build; None on its first."""
        if not self._dbt.is_incremental:
            return None
        return DuckDBRelation(self._session.table(str(self._dbt.this)))

    def write(self, rows: pa.Table | Derived) -> pa.Table | pa.RecordBatchReader:
        """A table as it is; derived rows as a stream that dbt writes without holding them all."""
        if isinstance(rows, pa.Table):
            return rows
        return pa.RecordBatchReader.from_batches(rows.schema, _derive(rows))


def _derive(derived: Derived) -> Iterator[pa.RecordBatch]:
    for part in derived.parts:
        if not isinstance(part.rows, DuckDBRelation):
            raise EngineError("Rows of another engine cannot be written to DuckDB.")
        read = [*part.carried.values(), *(column.name for column in part.step.inputs)]
        rows = part.rows.select(*dict.fromkeys(read))
        for batch in rows.read_batches(part.step.batch_rows):
            yield _made_of(batch, part, derived.schema)


def _made_of(batch: pa.RecordBatch, part: Part, schema: pa.Schema) -> pa.RecordBatch:
    made = part.step.apply(batch)
    columns = dict(zip(made.schema.names, made.columns, strict=True))
    place = np.repeat(np.arange(batch.num_rows), part.step.rows_each)
    for name, source in part.carried.items():
        values = batch.column(source)
        columns[name] = values if part.step.rows_each == 1 else values.take(pa.array(place))
    for name, value in part.constants.items():
        columns[name] = pa.repeat(pa.scalar(value, schema.field(name).type), made.num_rows)
    return pa.RecordBatch.from_arrays(
        [columns[field.name].cast(field.type) for field in schema], schema=schema
    )
