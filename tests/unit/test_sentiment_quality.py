"""Quality by language: scikit-learn's figures, with intervals, and null where texts are few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from customer_insights.metrics import RankedScores, resampling_weights
from customer_insights.text.sentiment import CLASSES, classes_of
from customer_insights.text.sentiment_quality import (
    QUALITY_SCHEMA,
    macro_f1,
    measure_quality,
    roc_auc,
)

if TYPE_CHECKING:
    from conftest import Shop


def judged(number: int = 600, seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    stars = random.integers(1, 6, number)
    scores = np.clip((stars - 3) / 3 + random.normal(0, 0.4, number), -1, 1)
    labels = [CLASSES[1 + int(score > 0.3) - int(score < -0.3)] for score in scores]
    return pa.table(
        {
            "review_id": [f"r{place:04}" for place in range(number)],
            "created_on": pa.array(np.arange(number) // 10 + 19_000, pa.int32()).cast(pa.date32()),
            "rating": pa.array(stars, pa.int32()),
            "language": np.where(np.arange(number) % 20 == 0, "unknown", "de").tolist(),
            "sentiment_label": labels,
            "sentiment_score": scores,
            "sentiment_source": ["embedded"] * number,
            "is_of_newest_model": (np.arange(number) >= 400).tolist(),
        }
    )


def measured(shop: Shop, rows: pa.Table) -> dict[tuple[str, str], dict[str, object]]:
    table = measure_quality(run_context=shop.run_context(), judged=shop.relate(rows))
    assert table.schema == QUALITY_SCHEMA
    return {(row["period"], row["language"]): row for row in table.to_pylist()}


def test_figures_are_those_of_scikit_learn(shop: Shop) -> None:
    rows = judged()
    row = measured(shop, rows)["all", "all"]
    stars, scores = rows["rating"].to_numpy(), rows["sentiment_score"].to_numpy()
    told = stars != 3
    assert row["macro_f1"] == pytest.approx(
        f1_score(stars[told] > 3, scores[told] > 0, average="macro")
    )
    truth = [CLASSES[place] for place in classes_of(stars.astype(float))]
    labels = rows["sentiment_label"].to_pylist()
    assert row["three_class_macro_f1"] == pytest.approx(f1_score(truth, labels, average="macro"))
    assert row["roc_auc"] == pytest.approx(roc_auc_score(stars[told] > 3, scores[told]))
    for name in ("macro_f1", "three_class_macro_f1", "roc_auc"):
        low, value, high = (row[f"{name}{edge}"] for edge in ("_low", "", "_high"))
        assert 0 < low < value < high <= 1  # type: ignore[operator]


def test_periods_and_languages_are_measured_apart_and_too_few_are_null(shop: Shop) -> None:
    rows = measured(shop, judged())
    assert set(rows) == {
        (period, language) for period in ("all", "newest") for language in ("all", "de", "unknown")
    }
    assert rows["newest", "all"]["text_count"] == 200
    assert rows["all", "unknown"]["text_count"] == 30
    few = rows["newest", "unknown"]
    assert few["text_count"] == 10
    assert few["macro_f1"] is None
    assert few["roc_auc_low"] is None
    assert few["three_class_macro_f1"] is None


def test_nothing_judged_is_an_empty_table(shop: Shop) -> None:
    assert measured(shop, judged().slice(0, 0)) == {}


def test_mixed_counts_as_neutral(shop: Shop) -> None:
    rows = judged()
    labels = pa.array(
        [label if label != "neutral" else "mixed" for label in rows["sentiment_label"].to_pylist()]
    )
    mixed = rows.set_column(rows.column_names.index("sentiment_label"), "sentiment_label", labels)
    assert measured(shop, mixed) == measured(shop, rows)


def test_the_interval_of_the_area_is_near_that_of_resampled_texts() -> None:
    random = np.random.default_rng(3)
    labels = random.random(400) < 0.4
    scores = np.round(random.normal(size=400) + labels, 1)
    found = roc_auc(labels, scores)
    ranked = RankedScores(labels, scores)
    areas = [ranked.roc_auc(weights) for weights in resampling_weights(400, 2000, 1)]
    low, high = np.quantile(np.array(areas, dtype=float), [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.01)
    assert found.high == pytest.approx(high, abs=0.01)
    assert found.value == pytest.approx(ranked.roc_auc())


def test_a_class_that_is_never_there_nor_called_counts_nothing() -> None:
    assert macro_f1(np.array([[5, 0, 0], [0, 5, 0], [0, 0, 0]])) == pytest.approx(2 / 3)
