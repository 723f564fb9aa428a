"""Values of SQL for a Python function, and back.

Scalar: https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping
Vectorised: https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
"""

# pandas is imported where a function has asked for a DataFrame.
# ruff: noqa: PLC0415

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import pyarrow as pa


class Caller:
    """Calls a handler with batches: row by row, or with a DataFrame if it asks for one."""

    def __init__(
        self, handler: Any, types: list[tuple[str, int, int]], returns: tuple[str, int, int]
    ) -> None:
        self.handler = handler
        self.types = types
        self.returns = returns
        self.is_vectorized = getattr(handler, "_sf_vectorized_input", None) is not None
        self.max_batch_size: int | None = getattr(handler, "_sf_max_batch_size", None)

    def __call__(self, columns: list[pa.Array]) -> pa.Array:
        count = len(columns[0])
        columns = columns[: len(self.types)]
        if self.is_vectorized:
            values = self._vectorized(columns, count)
        else:
            rows = zip(
                *[_scalars(c, t) for c, t in zip(columns, self.types, strict=True)], strict=True
            )
            values = (
                [self.handler(*row) for row in rows]
                if columns
                else [self.handler() for _ in range(count)]
            )
        return _arrow(values, self.returns, nan_is_null=self.is_vectorized)

    def _vectorized(self, columns: list[pa.Array], count: int) -> list[Any]:
        import pandas as pd

        frame = pd.DataFrame(
            {
                place: _series(c, t)
                for place, (c, t) in enumerate(zip(columns, self.types, strict=True))
            }
        )
        result = self.handler(frame)
        if not hasattr(result, "__len__"):
            result = list(result)
        if len(result) != count:
            raise ValueError(f"expected a result of {count} rows, got {len(result)}")
        return list(result)


def _scalars(column: pa.Array, kind: tuple[str, int, int]) -> list[Any]:
    values = column.to_pylist()
    if kind[0] == "variant":
        return [None if value is None else json.loads(value) for value in values]
    return values


def _series(column: pa.Array, kind: tuple[str, int, int]) -> Any:
    import pandas as pd

    name, precision, scale = kind
    if name == "fixed":
        values = column.to_pylist()
        if scale != 0 or any(
            value is not None and not -(2**63) <= value < 2**63 for value in values
        ):
            return pd.Series(values, dtype=object)
        dtype = "Int16" if precision <= 4 else "Int32" if precision <= 9 else "Int64"
        return pd.Series([pd.NA if v is None else int(v) for v in values], dtype=dtype)
    if name == "real":
        return column.cast(pa.float64()).to_pandas()
    if name == "boolean":
        return pd.Series(column.to_pylist(), dtype="boolean")
    if name == "text":
        return pd.Series([pd.NA if v is None else v for v in column.to_pylist()], dtype="string")
    if name in ("date", "timestamp"):
        return pd.Series(column.cast(pa.timestamp("ns")).to_numpy(zero_copy_only=False))
    return pd.Series(_scalars(column, kind), dtype=object)


def _arrow(values: list[Any], kind: tuple[str, int, int], nan_is_null: bool) -> pa.Array:
    name, precision, scale = kind
    values = [_plain(value) for value in values]
    if name == "variant":
        return pa.array(
            [None if v is None else json.dumps(v, default=_jsonable) for v in values], pa.string()
        )
    if name == "real":
        floats = [None if v is None else float(v) for v in values]
        if nan_is_null:
            floats = [None if v is not None and math.isnan(v) else v for v in floats]
        return pa.array(floats, pa.float64())
    if name == "fixed":
        numbers = [None if v is None else v for v in values]
        if scale == 0:
            return pa.array([None if v is None else int(v) for v in numbers], pa.int64())
        import decimal

        unit = decimal.Decimal(1).scaleb(-scale)
        return pa.array(
            [None if v is None else decimal.Decimal(str(v)).quantize(unit) for v in numbers],
            pa.decimal128(precision, scale),
        )
    arrow = {
        "boolean": pa.bool_(),
        "text": pa.string(),
        "binary": pa.binary(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }[name]
    if name == "text":
        values = [None if v is None else str(v) for v in values]
    if name == "date":
        values = [v.date() if isinstance(v, datetime.datetime) else v for v in values]
    return pa.array(values, arrow)


def _plain(value: Any) -> Any:
    """A value of NumPy or pandas as Python's own; what stands for a missing one as None."""
    if value is None:
        return None
    kind = type(value).__name__
    if kind in ("NAType", "NaTType"):
        return None
    if kind == "datetime64":
        import pandas as pd

        return None if pd.isna(value) else pd.Timestamp(value).to_pydatetime()
    if kind == "Timestamp":
        return value.to_pydatetime()
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    return value


def _jsonable(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return str(value)
