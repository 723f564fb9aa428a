"""From Arrow columns to the matrix that XGBoost reads, the same way for training and serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from customer_insights.catalog import Feature

FloatMatrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Encoder:
    """Column order and category codes of a model.

    A category's code is its place in `levels`, learned from the training rows. A value that was
    not among them, like a null, is missing.
    """

    features: tuple[Feature, ...]
    levels: Mapping[str, tuple[str, ...]]

    @property
    def feature_names(self) -> list[str]:
        """Names of the matrix's columns."""
        return [feature.name for feature in self.features]

    @property
    def feature_types(self) -> list[str]:
        """XGBoost's type of each column: `c` for a category, `float` for the rest."""
        return ["c" if feature.kind == "category" else "float" for feature in self.features]

    def encode(self, rows: pa.Table | pa.RecordBatch) -> FloatMatrix:
        """Matrix of shape (rows, features), float32, NaN where a value is missing."""
        matrix = np.empty((rows.num_rows, len(self.features)), dtype=np.float32)
        for position, feature in enumerate(self.features):
            matrix[:, position] = self._encode_column(rows.column(feature.name), feature)
        return matrix

    def _encode_column(self, column: pa.ChunkedArray, feature: Feature) -> FloatMatrix:
        if feature.kind == "category":
            levels = pa.array(self.levels[feature.name], pa.string())
            column = pc.index_in(column.cast(pa.string()), value_set=levels)
        # Not straight to float32: decimals have no way there, and large whole numbers are refused.
        return np.asarray(column.cast(pa.float64(), safe=False), dtype=np.float32)


def fit_encoder(rows: pa.Table, features: Sequence[Feature]) -> Encoder:
    """Learn the category codes from training rows: levels in alphabetical order."""
    levels = {
        feature.name: tuple(
            sorted(pc.unique(rows.column(feature.name).cast(pa.string()).drop_null()).to_pylist())
        )
        for feature in features
        if feature.kind == "category"
    }
    return Encoder(features=tuple(features), levels=levels)
