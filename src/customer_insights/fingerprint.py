"""The fingerprint of a training set, to know it again and to rebuild it to the row."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SIGNIFICANT_DIGITS = 9


def training_set_hash(rows: pa.Table) -> str:
    """SHA-256, in hexadecimal, of a table's columns in the order given.

    Rows must be in key order. Fractions count to 9 significant digits, so that engines which differ
    in the last bits agree.
    """
    digest = hashlib.sha256()
    for name in rows.column_names:
        digest.update(name.encode())
        digest.update(_column_digest(rows.column(name)))
    return digest.hexdigest()


def _column_digest(column: pa.ChunkedArray) -> bytes:
    digest = hashlib.sha256(np.packbits(column.is_null().to_numpy()).tobytes())
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = pc.fill_null(column, "").cast(pa.large_string()).combine_chunks()
        texts = pa.concat_arrays(texts.chunks) if isinstance(texts, pa.ChunkedArray) else texts
        digest.update(pc.binary_length(texts).to_numpy(zero_copy_only=False).tobytes())
        digest.update(b"" if len(texts) == 0 else _text_bytes(texts))
    elif _is_exact(kind):
        column = column.cast(pa.timestamp("us")) if pa.types.is_temporal(kind) else column
        digest.update(pc.fill_null(column.cast(pa.int64()), 0).to_numpy().tobytes())
    else:
        numbers = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy()
        digest.update(round_to_significant(numbers).tobytes())
    return digest.digest()


def _is_exact(kind: pa.DataType) -> bool:
    is_whole = pa.types.is_decimal(kind) and kind.scale == 0
    return bool(
        is_whole
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_temporal(kind)
    )


def _text_bytes(texts: pa.LargeStringArray) -> memoryview:
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64, len(texts) + 1, texts.offset * 8)
    return memoryview(data)[bounds[0] : bounds[-1]]


def round_to_significant(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Numbers rounded to 9 significant digits; zero and what is not finite stay as they are."""
    magnitude = np.abs(numbers)
    usable = np.isfinite(numbers) & (magnitude > 0)
    exponent = np.zeros(numbers.shape)
    # Beyond these limits the scale itself would overflow.
    exponent[usable] = np.clip(np.floor(np.log10(magnitude[usable])), -290, 290)
    scale = np.power(10.0, SIGNIFICANT_DIGITS - 1 - exponent)
    rounded = np.round(numbers * scale) / scale
    # Adding zero turns -0.0 into 0.0.
    return np.where(usable, rounded, numbers) + 0.0
