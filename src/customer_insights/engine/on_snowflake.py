"""Snowflake: a Python model is a procedure beside the data, and rows stay in the warehouse.

Reading brings rows into the procedure's memory, so only training does it. A step over rows runs as
a vectorized function in the warehouse, which grows with the warehouse:
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
from snowflake.snowpark import Column, DataFrame, Session
from snowflake.snowpark import functions as f
from snowflake.snowpark import types as t

from customer_insights import pushdown
from customer_insights.engine.protocol import Derived, Input, Part, Relation, RowStep
from customer_insights.errors import EngineError

# How a column is declared: https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
_TYPES: tuple[tuple[pa.DataType, t.DataType], ...] = (
    (pa.string(), t.StringType()),
    (pa.float64(), t.DoubleType()),
    (pa.int32(), t.LongType()),
    (pa.int64(), t.LongType()),
    (pa.bool_(), t.BooleanType()),
    (pa.date32(), t.DateType()),
    (pa.timestamp("us"), t.TimestampType(t.TimestampTimeZone.NTZ)),
    (pa.binary(), t.BinaryType()),
)


class SnowflakeRelation(Relation):
    """A query of Snowpark, not run yet."""

    def __init__(self, rows: DataFrame) -> None:
        self.rows = rows

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name.strip('"').lower() for name in self.rows.columns)

    def select(self, *columns: str) -> SnowflakeRelation:
        return SnowflakeRelation(self.rows.select(*map(f.col, columns)))

    def equal_to(self, column: str, value: object) -> SnowflakeRelation:
        return SnowflakeRelation(self.rows.filter(f.col(column) == f.lit(value)))

    def at_least(self, column: str, value: object) -> SnowflakeRelation:
        return SnowflakeRelation(self.rows.filter(f.col(column) >= f.lit(value)))

    def at_most(self, column: str, value: object) -> SnowflakeRelation:
        return SnowflakeRelation(self.rows.filter(f.col(column) <= f.lit(value)))

    def matching(self, other: Relation, keys: Sequence[str]) -> SnowflakeRelation:
        return self._joined(other, keys, "leftsemi")

    def not_matching(self, other: Relation, keys: Sequence[str]) -> SnowflakeRelation:
        return self._joined(other, keys, "leftanti")

    def renamed(self, old: str, new: str) -> SnowflakeRelation:
        columns = [f.col(name).alias(new) if name == old else f.col(name) for name in self.columns]
        return SnowflakeRelation(self.rows.select(*columns))

    def _joined(self, other: Relation, keys: Sequence[str], how: str) -> SnowflakeRelation:
        if not isinstance(other, SnowflakeRelation):
            raise EngineError("Two relations of different engines cannot be joined.")
        return SnowflakeRelation(self.rows.join(other.rows, on=list(keys), how=how))

    def first(self, rows: int) -> SnowflakeRelation:
        return SnowflakeRelation(self.rows.limit(rows))

    def sorted_by(self, *columns: str) -> SnowflakeRelation:
        return SnowflakeRelation(
            self.rows.sort(*(f.col(name).asc_nulls_last() for name in columns))
        )

    def row_counts(self, column: str) -> dict[Any, int]:
        counted = self.rows.group_by(f.col(column)).agg(f.count(f.lit(1)).alias("ROW_COUNT"))
        return {value: int(rows) for value, rows in counted.collect()}

    def read(self) -> pa.Table:
        return _tidied(self.rows.to_arrow())

    def fingerprint(self) -> str:
        # HASH_AGG does not depend on the order of rows:
        # https://docs.snowflake.com/en/sql-reference/functions/hash_agg
        hashed = f.call_function("hash_agg", *map(f.col, self.rows.columns))
        ((rows, value),) = self.rows.select(f.count(f.lit(1)), hashed).collect()
        return f"{rows}:{value}"


class SnowflakeWarehouse:
    """The account that the procedure runs in."""

    def __init__(self, dbt: Any, session: Session, packages: Sequence[str] = ()) -> None:
        self._dbt = dbt
        self._session = session
        self._packages = packages
        # Temporary tables and stages are made in the current schema, and there may be none: that of
        # the profile does not exist where every folder has a schema of its own.
        session.use_schema(f"{dbt.this.database}.{dbt.this.schema}")

    def relation(self, rows: DataFrame) -> SnowflakeRelation:
        """A query of Snowpark, to read."""
        return SnowflakeRelation(rows)

    def past_rows(self) -> SnowflakeRelation | None:
        """The model's own table before this build; None on its first."""
        if not self._dbt.is_incremental:
            return None
        return SnowflakeRelation(self._session.table(str(self._dbt.this)))

    def write(self, rows: pa.Table | Derived) -> DataFrame:
        """A query whose columns have the declared types, for dbt to store."""
        if isinstance(rows, Derived):
            made = [self._made_of(part, rows.schema) for part in rows.parts if _has_rows(part.rows)]
            first, *others = made or [self._empty(rows.schema)]
            for other in others:
                first = first.union_all(other)
            return first
        if not rows.num_rows:
            return self._empty(rows.schema)
        upper = rows.rename_columns([name.upper() for name in rows.column_names])
        stored = self._session.create_dataframe(upper)
        columns = [_declared(f.col(field.name), field) for field in rows.schema]
        return stored.select(*columns)

    def _empty(self, schema: pa.Schema) -> DataFrame:
        fields = [t.StructField(field.name, _type_of(field.type)) for field in schema]
        return self._session.create_dataframe([], t.StructType(fields))

    def _made_of(self, part: Part, schema: pa.Schema) -> DataFrame:
        """A part's rows: one call of the step's function a row, its answer taken apart."""
        if not isinstance(part.rows, SnowflakeRelation):
            raise EngineError("Rows of another engine cannot be written to Snowflake.")
        function = self._function(part.step)
        carried = {name: f"CARRIED_{number}" for number, name in enumerate(part.carried)}
        called = part.rows.rows.select(
            *[f.col(part.carried[name]).alias(alias) for name, alias in carried.items()],
            f.call_function(function, *map(_argument, part.step.inputs)).alias("MADE"),
        )
        answers = called.flatten(f.parse_json(f.col("MADE")))
        places = {name: place for place, name in enumerate(part.step.added.names)}
        columns = []
        for field in schema:
            if field.name in carried:
                column = f.col(carried[field.name])
            elif field.name in part.constants:
                column = f.lit(part.constants[field.name])
            else:
                column = f.col("VALUE")[places[field.name]]
            columns.append(_declared(column, field))
        made: DataFrame = answers.select(*columns)
        return made

    def _function(self, step: RowStep) -> str:
        """Create the step's function for this session; its name.

        The step travels as a file beside the library, named by its content, not inside the text of
        the statement: https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-creating
        """
        written = json.dumps(step.to_json(), sort_keys=True).encode()
        stage = f"{self._session.get_session_stage()}/{sha256(written).hexdigest()[:16]}"
        self._session.file.put_stream(
            io.BytesIO(written),
            f"{stage}/{pushdown.STEP_FILE}",
            auto_compress=False,
            overwrite=True,
        )
        function = f"customer_insights_{step.to_json()['step']}_{sha256(written).hexdigest()[:16]}"
        arguments = ", ".join(
            f"a{number} {'float' if column.kind in ('number', 'boolean') else 'varchar'}"
            for number, column in enumerate(step.inputs)
        )
        imports = [self._library(), f"{stage}/{pushdown.STEP_FILE}"]
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        self._session.sql(
            f"create or replace temporary function {function}({arguments}) returns varchar "
            f"language python runtime_version = '{python}' "
            f"packages = ({_listed(self._packages)}) imports = ({_listed(imports)}) "
            "handler = 'customer_insights.pushdown.made_as_json'"
        ).collect()
        return function

    def _library(self) -> str:
        """The zip that this procedure imported, staged for its functions: both run one version."""
        archive = Path(__file__).parents[2]
        stage = self._session.get_session_stage()
        self._session.file.put(str(archive), stage, auto_compress=False, overwrite=True)
        return f"{stage}/{archive.name}"


def _has_rows(rows: Relation) -> bool:
    """Whether there is anything to do: no function is made, and none called, for no rows."""
    # A constant for the row, whose own values stay where they are.
    return isinstance(rows, SnowflakeRelation) and bool(
        rows.rows.select(f.lit(1).alias("FOUND")).limit(1).collect()
    )


def _argument(column: Input) -> Column:
    if column.kind == "number":
        return f.col(column.name).cast(t.DoubleType())
    if column.kind == "boolean":
        # A boolean is not cast to a float:
        # https://docs.snowflake.com/en/sql-reference/data-type-conversion
        value = f.col(column.name)
        return f.when(value, f.lit(1.0)).when(~value, f.lit(0.0))
    if column.kind == "date":
        return f.to_char(f.col(column.name), "YYYY-MM-DD")
    return f.col(column.name).cast(t.StringType())


def _declared(column: Column, field: pa.Field) -> Column:
    return column.cast(_type_of(field.type)).alias(field.name)


def _type_of(kind: pa.DataType) -> t.DataType:
    for arrow, declared in _TYPES:
        if kind == arrow:
            return declared
    raise EngineError(f"No column of Snowflake is declared for Arrow's type {kind}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)


def _tidied(table: pa.Table) -> pa.Table:
    """Columns in lower case; whole numbers as int64 and times in microseconds.

    A NUMBER comes as the narrowest integer or decimal that holds the values read, a time in
    nanoseconds: the type would depend on the rows.
    """
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
            columns.append(column.cast(pa.int64()))
        elif pa.types.is_timestamp(kind):
            columns.append(column.cast(pa.timestamp("us")))
        else:
            columns.append(column)
    return pa.table(columns, names=[name.strip('"').lower() for name in table.column_names])
