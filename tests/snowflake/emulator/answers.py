"""What a statement gives back, and how Snowflake's client wants it encoded.

The client's Arrow format: a number is an integer with its scale in the column's metadata, a time
stamp a struct of seconds and nanoseconds
(https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-pandas
and the connector's nanoarrow_cpp/ArrowIterator). Whole numbers come in the smallest integer type
that holds a column, as that page lists them: code that expects int64 meets int8 here too.
"""

from __future__ import annotations

import datetime
import decimal
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Numbers that the client tells statements apart by (STATEMENT_TYPE_ID_* in the connector).
SELECT, INSERT, UPDATE, DELETE, MERGE, COPY = 0x1000, 0x3100, 0x3200, 0x3300, 0x3400, 0x3600
DML = 0x3000
SCL, DDL = 0x4000, 0x6000

MAX_TEXT = 16777216


@dataclass(frozen=True)
class Column:
    """A column of an answer: a name and a type of Snowflake."""

    name: str
    type: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None

    @staticmethod
    def of(name: str, type_: str) -> Column:
        """Give a column of a type without parameters the parameters that Snowflake gives it."""
        if type_ == "fixed":
            return Column(name, type_, 38, 0)
        if type_ == "text":
            return Column(name, type_, length=MAX_TEXT)
        if type_ == "binary":
            return Column(name, type_, length=8388608)
        if type_.startswith("time"):
            return Column(name, type_, 0, 9)
        return Column(name, type_)

    @staticmethod
    def of_duckdb(name: str, duckdb_type: str) -> Column:
        """The Snowflake type that a DuckDB type stands for."""
        if found := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duckdb_type):
            return Column(name, "fixed", int(found[1]), int(found[2]))
        for pattern, type_ in _OF_DUCKDB:
            if re.fullmatch(pattern, duckdb_type):
                return Column.of(name, type_)
        return Column.of(name, "variant")

    def rowtype(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "precision": self.precision,
            "scale": self.scale,
            "length": self.length,
            "byteLength": self.length,
            "nullable": True,
            "collation": None,
            "database": "",
            "schema": "",
            "table": "",
        }


_OF_DUCKDB = [
    (r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER", "fixed"),
    (r"VARCHAR|\"NULL\"|NULL|UUID|ENUM.*", "text"),
    (r"DOUBLE|FLOAT", "real"),
    (r"BOOLEAN", "boolean"),
    (r"DATE", "date"),
    (r"TIME", "time"),
    (r"TIMESTAMP WITH TIME ZONE", "timestamp_tz"),
    (r"TIMESTAMP.*", "timestamp_ntz"),
    (r"BLOB", "binary"),
    (r"JSON", "variant"),
]


@dataclass
class Answer:
    """Rows with Snowflake's types. `stats` counts the rows that a DML statement touched."""

    columns: list[Column]
    table: pa.Table
    statement_type: int = 0
    stats: dict[str, int] | None = None
    upload: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> list[tuple[Any, ...]]:
        return [
            tuple(row.values())
            for row in self.table.rename_columns(
                [str(i) for i in range(self.table.num_columns)]
            ).to_pylist()
        ]

    def dicts(self) -> list[dict[str, Any]]:
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows()]

    def data(self) -> dict[str, Any]:
        """The `data` of the HTTP answer."""
        if self.upload is not None:
            return self.upload
        data: dict[str, Any] = {
            "rowtype": [column.rowtype() for column in self.columns],
            "total": self.table.num_rows,
            "returned": self.table.num_rows,
            "statementTypeId": self.statement_type,
            "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
        }
        if self.stats is not None:
            data["stats"] = self.stats
        if self.statement_type & 0xF000 == DML and self.statement_type != COPY:
            # The client counts the rows that a DML statement touched from a JSON row.
            data["queryResultFormat"] = "json"
            data["rowset"] = [[None if v is None else str(v) for v in row] for row in self.rows()]
        else:
            data["queryResultFormat"] = "arrow"
            # No rows are no stream at all: the client then makes its empty result of `rowtype`.
            data["rowsetBase64"] = _encode(self.table, self.columns) if self.table.num_rows else ""
        return data


def rows(types: Mapping[str, str], values: Sequence[Sequence[Any]], kind: int = SCL) -> Answer:
    """An answer from Python values; `types` maps each column to a Snowflake type."""
    columns = [Column.of(name, type_) for name, type_ in types.items()]
    arrays = [
        pa.array([row[place] for row in values], type=_ARROW[column.type])
        for place, column in enumerate(columns)
    ]
    names = [str(place) for place in range(len(columns))]
    return Answer(columns, pa.Table.from_arrays(arrays, names=names), kind)


def status(text: str, kind: int = DDL) -> Answer:
    return rows({"status": "text"}, [(text,)], kind)


def counts(kind: int, **touched: int) -> Answer:
    """The answer of a DML statement: `inserted=3` is the column "number of rows inserted"."""
    values = dict(touched)
    types = {f"number of rows {what}": "fixed" for what in values}
    if kind == UPDATE:
        types["number of multi-joined rows updated"] = "fixed"
        values["multi"] = 0
    answer = rows(types, [tuple(values.values())], kind)
    answer.stats = {
        "numRowsInserted": touched.get("inserted", 0),
        "numRowsUpdated": touched.get("updated", 0),
        "numRowsDeleted": touched.get("deleted", 0),
        "numDmlDuplicates": 0,
    }
    return answer


_ARROW = {
    "fixed": pa.int64(),
    "text": pa.string(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "binary": pa.binary(),
    "variant": pa.string(),
    "timestamp_ltz": pa.timestamp("us", tz="UTC"),
    "timestamp_tz": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}


def _encode(table: pa.Table, columns: list[Column]) -> str:
    fields, arrays = [], []
    for place, column in enumerate(columns):
        array = table.column(place).combine_chunks()
        array = _encode_array(array, column)
        metadata = {
            "logicalType": column.type.upper(),
            "precision": str(column.precision or 38),
            "scale": str(column.scale or 0),
            "charLength": str(column.length or 0),
        }
        fields.append(pa.field(column.name, array.type, metadata=metadata))
        arrays.append(array)
    schema = pa.schema(fields)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return b64encode(sink.getvalue()).decode("ascii")


def _encode_array(array: pa.Array, column: Column) -> pa.Array:
    if column.type == "fixed":
        return _encode_number(array)
    if column.type.startswith("timestamp"):
        return _encode_timestamp(array, with_zone=column.type == "timestamp_tz")
    if column.type == "time":
        return pc.multiply(array.cast(pa.time64("us")).cast(pa.int64()), 1000)
    if column.type in ("text", "variant"):
        return array.cast(pa.string())
    if column.type == "real":
        return array.cast(pa.float64())
    return array


def _encode_number(array: pa.Array) -> pa.Array:
    """Integers in the smallest type that holds them; wider ones stay 128 bits."""
    if pa.types.is_null(array.type):
        return array.cast(pa.int8())
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.decimal128(38, array.type.scale))
        if len(array) == 0:
            return pa.array([], type=pa.int8())
        words = np.frombuffer(array.buffers()[1], dtype=np.int64).reshape(-1, 2)
        words = words[array.offset : array.offset + len(array)]
        valid = np.asarray(pc.is_valid(array))
        low, high = words[:, 0], words[:, 1]
        if ((high != (low >> 63)) & valid).any():
            return array
        array = pa.array(np.where(valid, low, 0), mask=~valid)
    if pa.types.is_uint64(array.type):
        array = array.cast(pa.decimal128(20, 0))
        return _encode_number(array)
    bounds = pc.min_max(array).as_py()
    low, high = bounds["min"] or 0, bounds["max"] or 0
    for bits in (8, 16, 32):
        if -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1):
            return array.cast(getattr(pa, f"int{bits}")())
    return array.cast(pa.int64())


def _encode_timestamp(array: pa.Array, with_zone: bool) -> pa.Array:
    """Seconds and nanoseconds; a null is a null of the struct, not the year 1970."""
    unit = array.type.unit
    ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    mask = np.asarray(pc.is_null(array))
    values = np.asarray(array.cast(pa.int64()).fill_null(0))
    epoch, rest = np.divmod(values, ticks)
    children = [pa.array(epoch, pa.int64()), pa.array((rest * (10**9 // ticks)).astype(np.int32))]
    names = ["epoch", "fraction"]
    if with_zone:
        # Minutes east of UTC plus 1440: every time zone here is UTC.
        children.append(pa.array(np.full(len(array), 1440, np.int32)))
        names.append("timezone")
    return pa.StructArray.from_arrays(children, names=names, mask=pa.array(mask))


def literal(value: object) -> str:
    """A Python value as a literal of Snowflake's SQL."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, decimal.Decimal)):
        return repr(value) if isinstance(value, float) else str(value)
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, datetime.datetime):
        return f"'{value.isoformat(' ')}'::timestamp_ntz"
    if isinstance(value, datetime.date):
        return f"'{value.isoformat()}'::date"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"
