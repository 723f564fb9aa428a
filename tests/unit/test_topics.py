"""Topics: terms of a text, topics that keep their ids, and texts that have none."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer_insights.engine import Derived, Relation
from customer_insights.engine.on_duckdb import DuckDBWarehouse
from customer_insights.errors import ArtifactError
from customer_insights.topics.assigning import (
    ASSIGNED_SCHEMA,
    TERM_SCHEMA,
    TopicStep,
    assign_topics,
    list_terms,
)
from customer_insights.topics.model import NO_TOPIC, TopicModel, blended, match_topics
from customer_insights.topics.quality import coherence_npmi, diversity, relevance, top_terms
from customer_insights.topics.settings import TopicSettings
from customer_insights.topics.terms import (
    StopWords,
    choose_terms,
    count_known,
    count_terms,
    terms_of,
)
from customer_insights.topics.training import (
    RUN_SCHEMA,
    Row,
    candidate_counts,
    decide,
    train_topics,
)

# Five themes of eleven words each; a text has words of one, and now and then of another.
THEMES = [
    [f"{name}{letter}" for letter in "abcdefghijk"] for name in ("on", "tw", "th", "fo", "fi")
]
WORDS = StopWords(
    {"en": frozenset({"the", "was", "not"}), "it": frozenset({"il"})}, frozenset({"not"})
)


class Shop:
    """Reviews, and decisions about their topics."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.warehouse = DuckDBWarehouse(None, self.connection)

    def relate(self, rows: pa.Table) -> Relation:
        return self.warehouse.relation(self.connection.from_arrow(rows))

    def written(self, derived: Derived) -> pa.Table:
        """What would be stored, in the order of its keys."""
        reader = self.warehouse.write(derived)
        assert isinstance(reader, pa.RecordBatchReader)
        return reader.read_all().sort_by("content_hash")

    def settings(self, **changed: Any) -> TopicSettings:
        return replace(
            TopicSettings(
                run_started_at=datetime(2025, 1, 1, 6, 30),
                random_seed=7,
                topics_by_language=False,
                topic_count_min=5,
                topic_count_max=5,
                topic_min_texts=50,
                topic_max_train_texts=10_000,
                topic_term_min_customers=3,
                topic_min_diversity=0.5,
                topic_retrain_share=0.1,
                topic_change_margin=0.05,
            ),
            **changed,
        )

    def run_context(self, **changed: Any) -> Relation:
        settings = self.settings(**changed)
        return self.relate(pa.table({name: [value] for name, value in vars(settings).items()}))

    def reviews(
        self, texts: Sequence[str], customers: Sequence[str | None] | None = None
    ) -> pa.Table:
        start = datetime(2024, 1, 1)
        return pa.table(
            {
                "review_id": [f"r{number:05}" for number in range(len(texts))],
                "customer_id": pa.array(customers or [None] * len(texts), pa.string()),
                "created_at": pa.array(
                    [start + timedelta(hours=number) for number in range(len(texts))],
                    pa.timestamp("us"),
                ),
                "masked_text": pa.array(texts, pa.string()),
                "content_hash": pa.array(
                    [hashlib.md5(text.encode()).hexdigest() for text in texts], pa.string()
                ),
            }
        )

    def decide(self, rows: pa.Table, past: Sequence[Row] = (), **changed: Any) -> Row:
        return decide(self.relate(rows), WORDS, past, self.settings(**changed))

    def trained(self, *rows: Row) -> Relation:
        return self.relate(pa.Table.from_pylist(list(rows), schema=RUN_SCHEMA))

    def model(self, row: Row) -> TopicModel:
        return TopicModel.from_bytes(row["artifact"], row["artifact_sha256"])


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def themed(count: int, seed: int = 0) -> list[str]:
    """Texts in which the themes are plain to see."""
    chance = random.Random(seed)
    texts = []
    for _ in range(count):
        words = [*chance.sample(chance.choice(THEMES), 6), chance.choice(chance.choice(THEMES))]
        texts.append("the " + " ".join(words))
    return texts


@pytest.fixture(scope="module")
def first(shop: Shop) -> Row:
    return shop.decide(shop.reviews(themed(400)))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Screen is NOT good!", ["the", "screen", "is", "not", "good"]),
        ("I don\u2019t like l\u2019article", ["i", "don't", "like", "l", "article"]),
        ("\uff26\uff35\uff2c\uff2c \uff57\uff49\uff44\uff54\uff48", ["full", "width"]),
        ("write to [mail] or [number], see https://x.example/a", ["write", "to", "or", "see"]),
        ("配送很快", ["配送", "送很", "很快"]),
        ("バッテリーが届かない", ["バッテリー", "届か", "ない"]),
        ("उत्पाद अच्छा नहीं", ["उत्पाद", "अच्छा", "नहीं"]),
        ("\U0001f600\U0001f44d 12345 ...", []),
        ("", []),
    ],
)
def test_terms_of_a_text_in_any_script(text: str, terms: list[str]) -> None:
    assert sorted(terms_of(text)) == sorted(terms)


def test_negations_stay_and_stop_words_of_other_languages_do_too() -> None:
    counts, terms = count_terms(["the il motor was not loud"] * 30)
    is_stop = dict(zip(terms, WORDS.of(counts, terms), strict=True))
    assert is_stop["the"]
    assert is_stop["was"]
    assert not is_stop["not"]
    assert not is_stop["il"], "no text looks Italian"


def test_a_term_of_few_customers_is_no_term(shop: Shop) -> None:
    texts = [f"common {'ab'[n % 2] * 3}" for n in range(20)] + ["secret number"] * 9
    counts, terms = count_terms(texts)
    writers = np.zeros((21, 29))
    writers[np.arange(20), np.arange(20)] = 1
    writers[20, 20:] = 1
    chosen = choose_terms(counts, terms, writers, WORDS, 3)
    found = {term for term, is_chosen in zip(terms, chosen, strict=True) if is_chosen}
    assert found == {"aaa", "bbb"}, "common is in too many texts, secret of one customer"


def test_coherence_and_diversity_as_defined() -> None:
    counts = count_known(["a b", "a b", "a b", "c", "d e", "d", "e", "f"], list("abcdef"))
    apart, together, as_chance = coherence_npmi(
        [np.array([0, 2]), np.array([0, 1]), np.array([3, 4])], counts
    )
    assert apart == pytest.approx(np.log(1e-12 / (3 / 8) / (1 / 8)) / -np.log(1e-12), abs=1e-9)
    assert together == pytest.approx(1, abs=1e-9)
    assert as_chance == pytest.approx(np.log((1 / 8) / (2 / 8) ** 2) / -np.log(1 / 8), abs=1e-9)
    assert np.isnan(coherence_npmi([np.array([0])], counts)).all()
    assert diversity([np.array([0, 1]), np.array([1, 2])]) == 0.75
    assert np.isnan(diversity([]))


def test_a_term_that_weighs_everywhere_stands_for_no_topic() -> None:
    weights = np.array([[0.5, 0.48, 0.02, 0.0], [0.5, 0.0, 0.02, 0.48]])
    assert [list(top) for top in top_terms(weights, 1)] == [[1], [3]]
    assert relevance(weights).sum(axis=1) == pytest.approx([1, 1])
    assert [list(top) for top in top_terms(weights)] == [[1, 0, 2], [3, 0, 2]]


def test_the_themes_are_found(first: Row, shop: Shop) -> None:
    assert first["decision"] == "trained"
    assert first["topic_count"] == 5
    model = shop.model(first)
    tops = [{model.terms[column] for column in top} for top in top_terms(model.weights)]
    themes = [{term[:2] for term in top} for top in tops]
    assert sorted(map(sorted, themes)) == sorted([words[0][:2]] for words in THEMES)
    assert first["coherence_npmi"] > 0.3
    assert first["diversity"] == 1.0
    assert "the" not in model.terms


@settings(max_examples=4)
@given(st.randoms(use_true_random=False))
def test_any_order_of_rows_gives_the_same_topics(chance: random.Random) -> None:
    shop = Shop()
    rows = shop.reviews(themed(120, seed=3))
    order = list(range(len(rows)))
    chance.shuffle(order)
    results = [shop.decide(table) for table in (rows, rows.take(order))]
    assert results[0] == results[1]
    texts = themed(30, seed=4)
    topics, shares = shop.model(results[0]).assign(texts)
    alone = [shop.model(results[1]).assign([text]) for text in texts]
    assert [int(topic[0]) for topic, _ in alone] == topics.tolist()
    assert [float(share[0]) for _, share in alone] == pytest.approx(shares.tolist(), abs=1e-9)


def test_nothing_new_finds_nothing_and_ids_stay_when_there_is(shop: Shop, first: Row) -> None:
    texts = themed(400)
    same = shop.decide(shop.reviews(texts), [first])
    assert same["decision"] == "kept"
    assert same["artifact"] is None
    assert same["model_version"] == first["model_version"]
    more = shop.decide(shop.reviews(texts + themed(60, seed=9)), [first, same])
    assert more["decision"] == "trained"
    assert more["stability_text_count"] == len(set(texts))
    assert more["stability"] >= 0.95
    assert more["new_topic_count"] == 0
    old, new = shop.model(first), shop.model(more)
    assert new.topic_ids.tolist() == old.topic_ids.tolist()
    assert new.first_seen_on == old.first_seen_on
    assert more["decision_number"] == 3


def test_a_changed_setting_finds_topics_again_and_an_id_is_never_given_twice(
    shop: Shop, first: Row
) -> None:
    rows = shop.reviews(themed(400))
    fewer = shop.decide(rows, [first], topic_count_min=2, topic_count_max=2)
    assert fewer["decision"] == "trained"
    assert "settings" in fewer["reason"]
    assert fewer["topic_count"] == 2
    again = shop.decide(rows, [first, fewer])
    ids = shop.model(again).topic_ids
    gone = set(range(1, 6)) - set(shop.model(fewer).topic_ids.tolist())
    assert again["topic_count"] == 5
    assert not gone & set(ids.tolist()), "an id that was given up does not come back"


def test_each_language_has_its_own_topics_where_asked(shop: Shop) -> None:
    english = themed(120)
    italian = ["il " + text[4:][::-1] for text in themed(120, seed=1)]
    few = ["il was the " + text for text in ("zz", "yy")]
    rows = shop.reviews([*english, *italian, *few])
    row = shop.decide(rows, topics_by_language=True, topic_count_min=3, topic_count_max=3)
    model = shop.model(row)
    assert model.languages == ("en",) * 3 + ("it",) * 3
    topics, _ = model.assign([*english, *italian])
    is_english = np.isin(topics, model.topic_ids[:3])
    assert is_english[:120].mean() > 0.95
    assert is_english[120:].mean() < 0.05
    again = shop.decide(
        shop.reviews([*english, *italian, *themed(40, seed=2)]),
        [row],
        topics_by_language=True,
        topic_count_min=3,
        topic_count_max=3,
    )
    assert again["new_topic_count"] == 0
    assert again["stability"] > 0.95
    lack = shop.decide(rows, topics_by_language=True, topic_min_texts=150)
    assert lack["decision"] == "not_enough_texts"
    assert "No language" in lack["reason"]


def test_topics_are_matched_by_their_terms() -> None:
    weights = np.array([[0.0, 0.9, 0.1], [0.9, 0.0, 0.1], [0.1, 0.1, 0.8]])
    assert match_topics(weights[[1, 0]], weights[:2]) == {0: 1, 1: 0}
    assert match_topics(np.eye(3)[:1], np.eye(3)[1:]) == {}, "unlike topics are not the same"
    moved = blended(np.array([[2.0, 2.0]]), np.array([[1.0, 0.0]]), 0.5)
    assert moved.tolist() == [[0.75, 0.25]]


def test_stored_topics_are_read_as_they_were_and_refused_when_changed(
    shop: Shop, first: Row
) -> None:
    model = shop.model(first)
    assert model.to_bytes() == first["artifact"]
    with pytest.raises(ArtifactError, match="topics_trained"):
        TopicModel.from_bytes(first["artifact"] + b" ", first["artifact_sha256"])


def test_only_texts_without_a_topic_are_given_one(shop: Shop, first: Row) -> None:
    texts = [*themed(20), "nothing known here", "\U0001f600"]
    reviews = shop.relate(shop.reviews(texts))
    trained = shop.trained(first)
    context = shop.run_context()
    assigned = shop.written(
        assign_topics(run_context=context, trained=trained, texts=reviews, past=None)
    )
    assert assigned.schema == ASSIGNED_SCHEMA
    by_hash = {row["content_hash"]: row for row in assigned.to_pylist()}
    for text in texts[-2:]:
        row = by_hash[hashlib.md5(text.encode()).hexdigest()]
        assert (row["topic_id"], row["topic_share"]) == (NO_TOPIC, None)
    assert {row["topic_id"] for row in by_hash.values()} == {0, 1, 2, 3, 4, 5}
    past = shop.relate(assigned.slice(3))
    rest = shop.written(
        assign_topics(run_context=context, trained=trained, texts=reviews, past=past)
    )
    assert rest.to_pylist() == assigned.slice(0, 3).to_pylist()


def test_a_text_has_its_topic_wherever_it_is_assigned_and_whatever_with(
    shop: Shop, first: Row
) -> None:
    model = shop.model(first)
    texts = [*themed(30, seed=5), "nothing known here", None]
    topics, shares = model.assign([text or "" for text in texts])
    step = TopicStep.from_json(json.loads(json.dumps(TopicStep(model).to_json())))
    for start, end in ((0, 32), (0, 1), (13, 20), (30, 32)):
        rows = pa.RecordBatch.from_arrays([pa.array(texts[start:end])], names=["masked_text"])
        made = step.apply(rows).to_pydict()
        assert made["topic_id"] == topics[start:end].tolist()
        assert made["topic_share"] == [
            None if np.isnan(share) else pytest.approx(share, abs=1e-9)
            for share in shares[start:end]
        ]
    with pytest.raises(ArtifactError, match="topics_trained"):
        TopicStep.from_json(step.to_json() | {"artifact_sha256": "0" * 64})


def test_terms_are_listed_once_for_each_version(shop: Shop, first: Row) -> None:
    listed = list_terms(trained=shop.trained(first), past=None)
    assert listed.schema == TERM_SCHEMA
    ranks = [row["rank"] for row in listed.to_pylist() if row["topic_id"] == 2]
    assert ranks == list(range(1, len(ranks) + 1))
    assert 10 <= len(ranks) <= 30
    again = list_terms(trained=shop.trained(first), past=shop.relate(listed))
    assert again.num_rows == 0


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["one review"],
        ["the same words again"] * 300,
        [f"the was {'the ' * (n % 200)}" for n in range(300)],
        ["\U0001f600" * (n + 1) for n in range(300)],
        [chr(97 + n % 26) + chr(97 + n // 26) + "q" for n in range(300)],
    ],
    ids=["none", "one", "all equal", "stop words", "emoji", "nothing in common"],
)
def test_texts_that_say_too_little_have_no_topics(shop: Shop, texts: list[str]) -> None:
    reviews = shop.relate(shop.reviews(texts))
    words = shop.relate(pa.table({"language": ["en"], "word": ["the"], "kind": ["stop"]}))
    log = train_topics(run_context=shop.run_context(), topic_words=words, texts=reviews, past=None)
    [row] = log.to_pylist()
    assert log.schema == RUN_SCHEMA
    assert row["decision"] == "not_enough_texts"
    assert "topic_min_texts asks for 50" in row["reason"]
    assert (row["topic_count"], row["coherence_npmi"], row["artifact"]) == (None, None, None)
    trained = shop.relate(log)
    given = assign_topics(run_context=shop.run_context(), trained=trained, texts=reviews, past=None)
    assert shop.written(given).num_rows == 0
    assert list_terms(trained=trained, past=None).num_rows == 0


def test_numbers_of_topics_that_are_tried() -> None:
    assert candidate_counts(8, 16, 1000) == [8, 10, 12, 14, 16]
    assert candidate_counts(8, 16, 95) == [8, 9]
    assert candidate_counts(8, 16, 12) == [1]
    assert candidate_counts(6, 6, 1000) == [6]
    assert candidate_counts(9, 3, 1000) == [9]
