"""How much a text tells, by counts and the weights of a seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score
from test_aspects import (
    ASPECT_TERMS,
    GOOD,
    OPINION_TERMS,
    PRICE,
    reviews,
    seed,
    vocabulary_of,
)

from customer_insights.errors import VocabularyError
from customer_insights.sample import ShopConfig
from customer_insights.text.aspects import Vocabulary
from customer_insights.text.details import ADDED, DetailStep, DetailVocabulary, count_details

if TYPE_CHECKING:
    from conftest import Shop

QUALITIES = ("generic", "basic", "detailed")


@pytest.fixture(scope="module")
def details() -> DetailVocabulary:
    names = [row["aspect"] for row in seed("aspect_catalog")]
    aspects = vocabulary_of(seed("aspect_vocabulary"), seed("opinion_vocabulary"), *names)
    rows = seed("detail_vocabulary")
    return DetailVocabulary(aspects, [[row["language"], row["term"], row["kind"]] for row in rows])


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("ok", (1, 0, 0, 0, 0)),
        ("👍", (0, 0, 0, 0, 0)),
        ("", (0, 0, 0, 0, 0)),
        (None, (0, 0, 0, 0, 0)),
        ("My order [number], see [mail]", (3, 0, 0, 0, 1)),
        ("Delivery took 5 days.", (4, 1, 1, 1, 0)),
        ("I used it every day for 3 weeks and the price was fair", (13, 1, 1, 2, 2)),
        ("Ich benutze es seit zwei Wochen, der Preis ist gut.", (10, 1, 0, 2, 2)),
        ("三月から毎日使っています。品質は良いです。", (9, 1, 0, 2, 1)),
        ("'; drop table x; -- {{ 7 }}", (4, 0, 1, 0, 0)),
    ],
)
def test_what_is_counted(
    details: DetailVocabulary, text: str | None, counts: tuple[int, ...]
) -> None:
    assert tuple(details.counts(text).values()) == counts
    assert list(details.counts(text)) == ADDED.names


def test_a_long_text_is_counted_to_its_end(details: DetailVocabulary) -> None:
    counts = details.counts("I used it for 3 weeks. " * 4400)
    assert counts["word_count"] == 6 * 4400
    assert counts["number_count"] == counts["time_word_count"] == 4400
    assert counts["experience_word_count"] == 2 * 4400


def score(counts: dict[str, int]) -> float:
    """What review_quality_parts and review_quality make of the counts of a text of one review."""
    return sum(
        float(row["weight"])
        * min(counts[row["feature"]], float(row["full_at"]))
        / float(row["full_at"])
        for row in seed("review_quality_weights")
    )


def label(value: float) -> str:
    limits = {
        str(row["quality_label"]): float(row["min_score"])
        for row in seed("review_quality_vocabulary")
    }
    reached = {name: limit for name, limit in limits.items() if value >= limit}
    return max(reached, key=lambda name: reached[name])


def test_quality_is_told_on_a_shop_of_another_seed_and_not_by_length_alone(
    details: DetailVocabulary,
) -> None:
    read = [
        (details.counts(text), truth["quality"]) for text, truth in reviews(ShopConfig(seed=4711))
    ]
    truth = [quality for _, quality in read]
    said = [label(score(counts)) for counts, _ in read]
    each = f1_score(truth, said, average=None, labels=list(QUALITIES))
    assert np.mean(each) > 0.80
    assert min(each) > 0.70

    # Length alone, with the limits that are best for it on these very texts.
    words = np.array([counts["word_count"] for counts, _ in read])
    best = max(
        f1_score(
            truth,
            np.array(QUALITIES)[(words >= low).astype(int) + (words >= high)],
            average="macro",
        )
        for low in range(2, 20, 2)
        for high in range(low, 40, 2)
    )
    assert best < 0.70


def test_weights_add_up_and_labels_begin_at_nothing() -> None:
    weights = seed("review_quality_weights")
    assert sum(float(row["weight"]) for row in weights) == pytest.approx(1.0)
    assert {row["feature"] for row in weights} == set(ADDED.names)
    limits = {
        row["quality_label"]: float(row["min_score"]) for row in seed("review_quality_vocabulary")
    }
    assert limits["generic"] == 0 < limits["basic"] < limits["detailed"] < 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("en", "weeks", "moment"), "is of the kind 'moment', not time or experience"),
        (("en", " ", "time"), "has no word and could never be found"),
    ],
)
def test_a_row_of_no_use_is_refused_in_one_sentence(row: tuple[str, ...], words: str) -> None:
    with pytest.raises(VocabularyError, match=r"^The term .*\.$") as refused:
        DetailVocabulary(Vocabulary((), (), ()), [row])
    assert words in str(refused.value)


TEXTS = pa.table(
    {
        "content_hash": ["a", "b"],
        "masked_text": ["The price is good for 3 weeks now.", None],
        "language": ["en", "und"],
    }
)


@pytest.fixture
def count(shop: Shop) -> Callable[..., pa.Table]:
    """Counts of some texts by small vocabularies."""

    def counted(
        texts: pa.Table = TEXTS,
        past: pa.Table | None = None,
        terms: tuple[tuple[str, str, str], ...] = (("en", "weeks", "time"),),
    ) -> pa.Table:
        rows: dict[str, list[Any]] = {
            name: [term[place] for term in terms]
            for place, name in enumerate(("language", "term", "kind"))
        }
        schema = pa.schema([(name, pa.string()) for name in rows])
        return shop.written(
            count_details(
                run_context=shop.run_context(),
                catalog=shop.relate(pa.table({"aspect": ["price"]})),
                aspect_terms=shop.relate(pa.Table.from_pylist([PRICE], schema=ASPECT_TERMS)),
                opinion_terms=shop.relate(pa.Table.from_pylist([GOOD], schema=OPINION_TERMS)),
                detail_terms=shop.relate(pa.table(rows, schema=schema)),
                texts=shop.relate(texts),
                past=None if past is None else shop.relate(past),
            )
        )

    return counted


def test_each_text_is_counted_once_until_a_vocabulary_changes(
    count: Callable[..., pa.Table],
) -> None:
    first = count(TEXTS.slice(0, 1))
    assert first.select(ADDED.names).to_pylist() == [
        dict(zip(ADDED.names, (8, 1, 1, 1, 0), strict=True))
    ]
    second = count(past=first)
    assert second["content_hash"].to_pylist() == ["b"]
    assert second.select(ADDED.names).to_pylist() == [dict.fromkeys(ADDED.names, 0)]
    everything = pa.concat_tables([first, second])
    assert count(past=everything).num_rows == 0
    assert count(past=everything).schema == first.schema
    assert count(past=everything, terms=()).num_rows == 2


def test_a_step_is_the_same_after_its_json(details: DetailVocabulary) -> None:
    step = DetailStep(details)
    again = DetailStep.from_json(json.loads(json.dumps(step.to_json())))
    rows = TEXTS.select(["masked_text", "language"]).combine_chunks().to_batches()[0]
    assert again.vocabulary.version == details.version
    assert again.apply(rows) == step.apply(rows)
