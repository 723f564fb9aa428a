"""How well sentiment agrees with the stars, by language, on texts whose model did not know them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import norm, rankdata

from customer_insights.engine import Relation, table_of
from customer_insights.metrics import UNDEFINED, Floats, Interval, Labels, interval
from customer_insights.settings import Settings, read_settings
from customer_insights.text.sentiment import CLASSES, classes_of

ALL = "all"
PERIODS = (ALL, "newest")
_METRICS = ("macro_f1", "three_class_macro_f1", "roc_auc")
QUALITY_SCHEMA = pa.schema(
    [
        ("period", pa.string()),
        ("language", pa.string()),
        ("sentiment_source", pa.string()),
        ("from_on", pa.date32()),
        ("to_on", pa.date32()),
        ("text_count", pa.int64()),
        *[(f"{name}_count", pa.int64()) for name in CLASSES],
        *[(f"{name}{edge}", pa.float64()) for name in _METRICS for edge in ("", "_low", "_high")],
    ]
)

Cells = npt.NDArray[np.int64]


def measure_quality(*, run_context: Relation, judged: Relation) -> pa.Table:
    """Quality of each period and language, and of all languages, as a table of QUALITY_SCHEMA.

    Args:
        run_context: this run's settings.
        judged: texts with their rating, language, sentiment and whether the newest model gave it.

    """
    settings = read_settings(run_context)
    rows = judged.sorted_by("review_id").read()
    return table_of(_measured(rows, settings), QUALITY_SCHEMA)


def _measured(rows: pa.Table, settings: Settings) -> Iterator[dict[str, Any]]:
    for period in PERIODS:
        of_period = rows if period == ALL else rows.filter(rows["is_of_newest_model"])
        languages = sorted(pc.unique(of_period["language"]).to_pylist())
        for language in [ALL, *languages] if languages else []:
            texts = of_period
            if language != ALL:
                texts = of_period.filter(pc.equal(of_period["language"], language))
            yield {"period": period, "language": language, **_quality(texts, settings)}


def _quality(texts: pa.Table, settings: Settings) -> dict[str, Any]:
    classes = classes_of(texts["rating"].cast(pa.float64()).to_numpy())
    scores = texts["sentiment_score"].to_numpy()
    called = _called(texts["sentiment_label"])
    days = pc.min_max(texts["created_on"]).as_py()
    counts = np.bincount(classes, minlength=len(CLASSES))
    is_told = classes != 1
    signs = np.where(scores[is_told] > 0, 1, 0)
    enough = settings.min_class_rows
    has_both, has_three = min(counts[0], counts[2]) >= enough, min(counts) >= enough
    positive = classes[is_told] == 2
    measured = {
        "macro_f1": _macro_f1(positive.astype(np.intp), signs, 2, settings)
        if has_both
        else UNDEFINED,
        "three_class_macro_f1": _macro_f1(classes, called, 3, settings) if has_three else UNDEFINED,
        "roc_auc": roc_auc(positive, scores[is_told]) if has_both else UNDEFINED,
    }
    row: dict[str, Any] = {
        "sentiment_source": texts["sentiment_source"][0].as_py(),
        "from_on": days["min"],
        "to_on": days["max"],
        "text_count": len(classes),
        **{f"{name}_count": int(count) for name, count in zip(CLASSES, counts, strict=True)},
    }
    for name, value in measured.items():
        row |= value.columns(name)
    return row


def _called(labels: pa.ChunkedArray) -> npt.NDArray[np.intp]:
    """Place of each label in CLASSES; what is mixed is as neutral as it gets."""
    places = pc.fill_null(pc.index_in(labels, value_set=pa.array(CLASSES)), 1)
    return np.asarray(places.to_numpy(), dtype=np.intp)


def _macro_f1(
    classes: npt.NDArray[np.intp], called: npt.NDArray[np.intp], number: int, settings: Settings
) -> Interval:
    """Macro-F1 with a percentile interval of resampled texts.

    F1 depends on the texts through the table of classes and calls alone, so that table is
    resampled: one multinomial draw is one resample of the texts.
    """
    cells = np.bincount(classes * number + called, minlength=number * number)
    random = np.random.default_rng(settings.random_seed)
    drawn = random.multinomial(
        len(classes), cells / len(classes), size=settings.bootstrap_replicates
    )
    replicates = [macro_f1(resample.reshape(number, number)) for resample in drawn]
    return interval(macro_f1(cells.reshape(number, number)), replicates)


def macro_f1(table: Cells) -> float:
    """Mean F1 of the classes of a table, shape (true class, called class).

    A class that is neither there nor called counts 0, as in scikit-learn's `f1_score`.
    """
    right = np.diag(table)
    return float(np.mean(2 * right / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1)))


def roc_auc(labels: Labels, scores: Floats) -> Interval:
    """Area under the ROC curve with a 95 % interval (DeLong et al. 1988), both classes present."""
    positive, negative = scores[labels], scores[~labels]
    ranks = rankdata(scores)
    # Of each text, the share of the other class that it is rightly above or below.
    above = (ranks[labels] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[~labels] - rankdata(negative)) / len(positive)
    area = float(np.mean(above))
    if min(len(positive), len(negative)) < 2:
        return Interval(area, None, None)
    variance = np.var(above, ddof=1) / len(positive) + np.var(below, ddof=1) / len(negative)
    margin = float(norm.ppf(0.975) * np.sqrt(variance))
    return Interval(area, max(0.0, area - margin), min(1.0, area + margin))
