"""How far each feature moves high scores, of a model whose scores are not explained one by one."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from customer_insights.metrics import Floats
from customer_insights.model import TrainedModel

# Sums of what XGBoost says in single precision: further digits are noise.
DIGITS = 9


def feature_importance(
    model: TrainedModel, rows: pa.Table, scores: Floats, most_rows: int, min_decile: int
) -> str | None:
    """Mean size of each feature's contribution, as JSON; None where there is no row to explain.

    Rows with scores from `min_decile` on are explained, as people act on those; of many, some that
    lie evenly among them.

    Args:
        model: the trained model.
        rows: rows that it has not seen, in key order.
        scores: their scores, shape (rows,).
        most_rows: how many are explained at most.
        min_decile: the lowest decile of scores that is.

    """
    high = np.flatnonzero(model.decile(scores) >= min_decile)
    if not most_rows or not len(high):
        return None
    count = min(most_rows, len(high))
    chosen = high[np.arange(count) * len(high) // count]
    sizes = np.abs(model.contributions(rows.take(pa.array(chosen)), threads=1)).mean(axis=0)
    names = [feature.name for feature in model.encoder.features]
    return json.dumps(
        [
            {
                "feature": name,
                "explained_rows": count,
                "mean_absolute_contribution": round(float(size), DIGITS),
            }
            for name, size in zip(names, sizes, strict=True)
        ]
    )
