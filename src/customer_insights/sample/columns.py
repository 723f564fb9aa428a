"""Arrow columns from NumPy arrays, and small random helpers that several steps share."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from customer_insights.sample.config import DAY, ShopConfig
from customer_insights.sample.contract import SCHEMAS, TIMESTAMP

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ID_DIGITS = 8

T = TypeVar("T", bound="DataclassInstance")


def ids(prefix: str, numbers: Ints, present: Bools | None = None) -> pa.Array:
    """Ids such as `s-00000123`; null where `present` is false."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), ID_DIGITS, "0")
    text = pc.binary_join_element_wise(f"{prefix}-", digits, "")
    return text if present is None else where(present, text)


def where(present: Bools, values: pa.Array) -> pa.Array:
    """`values`, null where `present` is false."""
    return pc.if_else(pa.array(present), values, pa.scalar(None, values.type))


def labels(names: Sequence[str], codes: Ints, present: Bools | None = None) -> pa.Array:
    """`names[code]` for each code; null where `present` is false."""
    mask = None if present is None else ~present
    return pa.array(list(names), pa.string()).take(pa.array(codes, mask=mask))


def decimals(units: Ints, digits: int, kind: pa.Decimal128Type) -> pa.Array:
    """Exact decimals from whole units of 10**-digits (cents are `digits=2`).

    The 128-bit values are written directly: going through floats or Python decimals would be
    inexact or slow.
    """
    low = np.asarray(units, np.int64) * 10 ** (kind.scale - digits)
    words = np.column_stack((low, low >> 63))
    return pa.Array.from_buffers(kind, len(low), [None, pa.py_buffer(words.tobytes())])


def timestamps(config: ShopConfig, seconds: Ints, present: Bools | None = None) -> pa.Array:
    """Make times from seconds since the start of the period; null where `present` is false."""
    values = config.starts_at + seconds.astype("timedelta64[s]")
    mask = None if present is None else ~present
    return pa.array(values.astype("datetime64[us]"), TIMESTAMP, mask=mask)


def table(name: str, config: ShopConfig, columns: Mapping[str, Any]) -> pa.Table:
    """Make a table of the contract: `columns` plus `loaded_at`, cast to the declared types."""
    schema = SCHEMAS[name]
    rows = len(next(iter(columns.values())))
    values = dict(columns)
    if "loaded_at" in schema.names:
        values["loaded_at"] = timestamps(config, np.full(rows, config.seconds + DAY))
    arrays = [pa.array(values[field.name]).cast(field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def choice(random: np.random.Generator, weights: Sequence[float], size: int) -> Ints:
    """`size` codes 0..len(weights)-1, drawn in proportion to `weights`."""
    edges = np.cumsum(np.asarray(weights, float))
    return np.searchsorted(edges[:-1] / edges[-1], random.random(size), side="right")


def ranks_within(groups: Ints) -> Ints:
    """Position 0, 1, 2, ... of each row within its run of equal, adjacent group values."""
    rows = np.arange(len(groups))
    starts = np.r_[True, groups[1:] != groups[:-1]][: len(groups)]
    return rows - np.maximum.accumulate(np.where(starts, rows, 0))


def joined(pieces: Sequence[T]) -> T:
    """Lay dataclasses of arrays end to end."""
    names = [field.name for field in fields(pieces[0])]
    return type(pieces[0])(
        **{name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in names}
    )


def rows_of(whole: T, rows: Any) -> T:
    """These rows of a dataclass of arrays."""
    names = [field.name for field in fields(whole)]
    return type(whole)(**{name: getattr(whole, name)[rows] for name in names})
