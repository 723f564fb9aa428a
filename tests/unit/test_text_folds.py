"""History is scored by models that knew earlier ratings only; what is scored once stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from customer_insights.catalog import Feature, ModelSpec
from customer_insights.engine import table_of
from customer_insights.text.folds import FOLD_SCHEMA, GROWTH, fold_starts, train_folds
from customer_insights.text.scoring import SCORED_SCHEMA, score_texts
from customer_insights.text.sentiment import SentimentModel
from customer_insights.text.training import SENTIMENT
from customer_insights.training import RUN_SCHEMA, TrainingSet, decide

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row

START = datetime(2024, 1, 1)
WORDS = {1: "awful broken", 2: "bad not good", 3: "average", 4: "good", 5: "great perfect"}
SPEC = ModelSpec(
    "review_sentiment",
    "is_positive",
    "roc_auc",
    (Feature("character_count", "number"), Feature("masked_text", "text")),
)


def examples(number: int = 900, seed: int = 0) -> pa.Table:
    """Rated reviews, one each two hours; stars and words disagree one time in ten."""
    random = np.random.default_rng(seed)
    stars = random.integers(1, 6, number)
    meant = np.where(random.random(number) < 0.1, random.integers(1, 6, number), stars)
    texts = [f"{WORDS[int(m)]} {random.integers(200)}" for m in meant]
    times = [START + timedelta(hours=2 * place) for place in range(number)]
    labels = [None if star == 3 else bool(star > 3) for star in stars]
    return pa.table(
        {
            "review_id": [f"r{place:05}" for place in range(number)],
            "created_at": pa.array(times, pa.timestamp("us")),
            "created_on": pa.array([time.date() for time in times], pa.date32()),
            "content_hash": [f"h{place}" for place in range(number)],
            "is_first_copy": [True] * number,
            "rating": pa.array(stars, pa.int32()),
            "is_positive": pa.array(labels, pa.bool_()),
            "label_definition_version": pa.array([1] * number, pa.int32()),
            "masked_text": texts,
            "character_count": pa.array([len(text) for text in texts], pa.int64()),
        }
    )


def with_splits(rows: pa.Table, test_days: int = 15) -> pa.Table:
    """The rows as a training set: the newest days test, those before validate."""
    days = rows["created_on"].to_numpy().astype("datetime64[D]")
    age = (days.max() - days).astype(int)
    names = np.where(age < test_days, "test", np.where(age < 2 * test_days, "validation", "train"))
    return rows.append_column("split", pa.array(names.tolist()))


def decided(shop: Shop, rows: pa.Table, past: list[Row] | None = None, **settings: Any) -> Row:
    """The decision of a build."""
    training_set = TrainingSet.of(with_splits(rows), ("review_id",), "created_on", SPEC, SENTIMENT)
    return decide(SPEC, training_set, past or [], shop.settings(**settings))


def folds_of(shop: Shop, rows: pa.Table, *log: Row, past: pa.Table | None = None) -> pa.Table:
    """The folds that a build makes."""
    return train_folds(
        run_context=shop.run_context(),
        trained=shop.relate(table_of(log, RUN_SCHEMA)),
        examples=shop.relate(rows),
        past=None if past is None else shop.relate(past),
    )


@pytest.fixture(scope="module")
def promoted(shop: Shop) -> Row:
    """The decision of the first build."""
    return decided(shop, examples())


def test_sentiment_is_a_model_like_any_other(shop: Shop, promoted: Row) -> None:
    assert promoted["decision"] == "trained_promoted"
    assert promoted["roc_auc"] > 0.9
    assert promoted["roc_auc_low"] < promoted["roc_auc"]
    assert promoted["constant_brier"] > promoted["brier"]
    assert promoted["best_single_feature"] == "character_count"
    assert promoted["boosting_rounds"] is None
    # Three stars are learned from, but are no answer.
    rows = with_splits(examples())
    told = rows.filter(pc.is_valid(rows["is_positive"]))
    assert promoted["test_rows"] == pc.sum(pc.equal(told["split"], "test")).as_py()
    kept = decided(shop, examples(), [promoted])
    assert kept["decision"] == "kept"
    assert kept["artifact"] is None


def test_three_stars_are_part_of_what_was_learned(shop: Shop, promoted: Row) -> None:
    rows = examples()
    changed = pc.if_else(pc.equal(rows["rating"], 3), "another text", rows["masked_text"])
    place = rows.column_names.index("masked_text")
    other = decided(shop, rows.set_column(place, "masked_text", changed))
    assert other["training_set_hash"] != promoted["training_set_hash"]
    assert other["artifact_sha256"] != promoted["artifact_sha256"]


@pytest.mark.parametrize("stars", [1, 5])
def test_one_class_only_gives_no_model(shop: Shop, stars: int) -> None:
    rows = examples()
    for name, value in (("rating", stars), ("is_positive", stars > 3)):
        place = rows.column_names.index(name)
        kind = rows.schema.field(name).type
        rows = rows.set_column(place, name, pa.array([value] * rows.num_rows, kind))
    row = decided(shop, rows)
    assert row["decision"] == "not_enough_labels"
    assert folds_of(shop, rows, row).num_rows == 0


@pytest.mark.parametrize("number", [0, 1, 99])
def test_few_reviews_give_no_model_and_a_sentence_that_names_the_setting(
    shop: Shop, number: int
) -> None:
    rows = examples().slice(0, number)
    if number:
        row = decided(shop, rows)
        assert row["decision"] == "not_enough_labels"
        assert "min_rated_texts asks for 100" in row["reason"]
    assert folds_of(shop, rows).schema == FOLD_SCHEMA


def test_folds_begin_where_the_ratings_have_grown_by_half() -> None:
    assert list(fold_starts(1000, 100)) == [100, 150, 225, 337, 506, 759]
    assert list(fold_starts(100, 100)) == []
    assert sum(fold_starts(100_000, 500)) < 100_000 / (1 - 1 / GROWTH)


def test_a_fold_knows_nothing_of_its_time_or_later(shop: Shop, promoted: Row) -> None:
    rows = examples()
    folds = folds_of(shop, rows, promoted)
    assert folds.schema == FOLD_SCHEMA
    assert folds["fold_number"].to_pylist() == list(range(1, folds.num_rows + 1))
    assert folds.num_rows >= 4
    until = datetime.combine(promoted["test_from_on"], datetime.min.time())
    assert max(folds["trained_before_at"].to_pylist()) < until
    boundary = folds["trained_before_at"][2].as_py()
    # Later stars turned around, and later texts changed: the folds before are the same to the byte.
    is_later = pc.greater_equal(rows["created_at"], pa.scalar(boundary, pa.timestamp("us")))
    turned = pc.subtract(6, rows["rating"]).cast(pa.int32())
    place = rows.column_names.index("rating")
    other = rows.set_column(place, "rating", pc.if_else(is_later, turned, rows["rating"]))
    again = folds_of(shop, other, promoted)
    shas = folds["artifact_sha256"].to_pylist(), again["artifact_sha256"].to_pylist()
    assert shas[0][:3] == shas[1][:3]
    assert shas[0][3] != shas[1][3]


def test_ratings_of_one_moment_are_on_one_side(shop: Shop, promoted: Row) -> None:
    rows = examples()
    times = rows["created_at"].to_pylist()
    times[90:160] = [times[90]] * 70
    place = rows.column_names.index("created_at")
    folds = folds_of(
        shop, rows.set_column(place, "created_at", pa.array(times, pa.timestamp("us"))), promoted
    )
    for boundary, learned in zip(
        folds["trained_before_at"].to_pylist(), folds["train_rows"].to_pylist(), strict=True
    ):
        assert learned == sum(time < boundary for time in times)


def test_folds_are_made_once_and_not_without_a_champion(shop: Shop, promoted: Row) -> None:
    rows = examples()
    folds = folds_of(shop, rows, promoted)
    assert folds_of(shop, rows, promoted, past=folds).num_rows == 0
    assert folds_of(shop, rows, promoted | {"decision": "trained_rejected"}).num_rows == 0


def test_the_order_of_rows_changes_no_fold(shop: Shop, promoted: Row) -> None:
    rows = examples()
    shuffled = rows.take(np.random.default_rng(1).permutation(rows.num_rows))
    assert folds_of(shop, shuffled, promoted) == folds_of(shop, rows, promoted)


def assigned(rows: pa.Table, folds: pa.Table, champion: str) -> pa.Table:
    """Each text with the newest model that knew nothing of it, as review_sentiment_texts has it."""
    starts = folds["trained_before_at"].to_pylist()
    versions = folds["model_version"].to_pylist()
    found = []
    for row in rows.to_pylist():
        known = [v for s, v in zip(starts, versions, strict=True) if s <= row["created_at"]]
        found.append(known[-1] if known else champion)
    return pa.table(
        {
            "content_hash": rows["content_hash"],
            "masked_text": rows["masked_text"],
            "first_created_at": rows["created_at"],
            "scoring_version": found,
        }
    )


def test_texts_are_scored_once_by_their_model_the_oldest_first(shop: Shop, promoted: Row) -> None:
    rows = examples()
    folds = folds_of(shop, rows, promoted)
    texts = assigned(rows, folds, promoted["model_version"])

    def build(past: pa.Table | None, cap: int = 10_000) -> pa.Table:
        return shop.written(
            score_texts(
                run_context=shop.run_context(max_embedded_texts_per_run=cap),
                trained=shop.relate(table_of([promoted], RUN_SCHEMA)),
                folds=shop.relate(folds),
                assigned=shop.relate(texts),
                past=None if past is None else shop.relate(past),
            )
        )

    first = build(None, cap=300)
    assert first.schema == SCORED_SCHEMA
    oldest = texts.sort_by("first_created_at").slice(0, 300)["content_hash"].to_pylist()
    assert sorted(first["content_hash"].to_pylist()) == sorted(oldest)
    rest = build(first)
    assert first.num_rows + rest.num_rows == texts.num_rows
    everything = pa.concat_tables([first, rest])
    assert build(everything).num_rows == 0
    version = folds["model_version"][1].as_py()
    model = SentimentModel.from_bytes(
        folds["artifact"][1].as_py(), folds["artifact_sha256"][1].as_py()
    )
    of_fold = everything.filter(pc.equal(everything["model_version"], version))
    said = dict(
        zip(texts["content_hash"].to_pylist(), texts["masked_text"].to_pylist(), strict=True)
    )
    expected = model.scores([said[key] for key in of_fold["content_hash"].to_pylist()])
    assert np.allclose(of_fold["sentiment_score"].to_numpy(), expected, atol=1e-12)


def test_a_fold_learns_from_no_more_texts_and_characters_than_allowed(
    shop: Shop, promoted: Row
) -> None:
    rows = examples()

    def learned(**settings: int) -> list[int]:
        folds = train_folds(
            run_context=shop.run_context(**settings),
            trained=shop.relate(table_of([promoted], RUN_SCHEMA)),
            examples=shop.relate(rows),
            past=None,
        )
        found: list[int] = folds["train_rows"].to_pylist()
        return found

    assert max(learned()) > 200
    assert max(learned(max_rated_texts=200)) == 200
    lengths = rows["character_count"].to_numpy()
    assert max(learned(max_rated_characters=2_000)) <= 2_000 / lengths.min()
    assert max(learned(max_rated_characters=2_000)) < max(learned())
