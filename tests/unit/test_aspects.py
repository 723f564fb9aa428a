"""What a text says about delivery, price and the like."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_insights.errors import VocabularyError
from customer_insights.sample import ShopConfig, generate_blocks
from customer_insights.sample.phrases import ASPECTS, LANGUAGES, PHRASES
from customer_insights.text.aspects import AspectStep, Mention, Vocabulary, find_aspects

if TYPE_CHECKING:
    from conftest import Shop

SEEDS = Path(__file__).parents[2] / "seeds" / "vocabulary"


def seed(name: str) -> list[dict[str, Any]]:
    """Rows of a vocabulary seed; numbers as numbers, nothing as null."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, Any]] = [
            {key: value or None for key, value in row.items()} for row in csv.DictReader(file)
        ]
    for row in rows:
        if row.get("polarity") is not None:
            row["polarity"] = float(row["polarity"])
    return rows


def vocabulary_of(
    aspects: list[dict[str, Any]], opinions: list[dict[str, Any]], *names: str
) -> Vocabulary:
    return Vocabulary(
        sorted(names),
        [[row["aspect"], row["language"], row["term"]] for row in aspects],
        [
            [row[name] for name in ("language", "term", "kind", "polarity", "aspect")]
            for row in opinions
        ],
    )


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    names = [row["aspect"] for row in seed("aspect_catalog")]
    return vocabulary_of(seed("aspect_vocabulary"), seed("opinion_vocabulary"), *names)


def labels(mentions: dict[str, Mention]) -> dict[str, str]:
    return {aspect: mention.label for aspect, mention in mentions.items()}


# One sentence at a time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The delivery was quick.", {"delivery": "positive"}),
        ("The delivery was not quick.", {"delivery": "negative"}),
        ("The delivery was not bad at all.", {"delivery": "positive"}),
        ("No problems with the delivery!", {"delivery": "positive"}),
        ("Delivery was anything but quick", {"delivery": "negative"}),
        ("Shipping was neither fast nor slow.", {"delivery": "neutral"}),
        ("Shipping took four days.", {"delivery": "neutral"}),
        ("Delivery was late, but the quality is great.", {"delivery": "negative", "product_quality": "positive"}),
        ("Great quality, terrible service", {"product_quality": "positive", "service": "negative"}),
        ("The price and the quality are excellent.", {"price": "positive", "product_quality": "positive"}),
        ("The material is great and no trouble with the delivery.", {"product_quality": "positive", "delivery": "positive"}),
        ("The price is high.", {"price": "negative"}),
        ("The quality is high.", {"product_quality": "positive"}),
        ("It stopped working.", {"product_quality": "negative"}),
        ("La livraison n'était pas mal.", {"delivery": "positive"}),
        ("La livraison n\u2019était pas rapide.", {"delivery": "negative"}),
        ("Le prix est très bon, mais le service client était désagréable.", {"price": "positive", "service": "negative"}),
        ("Der Versand war gar nicht schlecht.", {"delivery": "positive"}),
        ("Der Versand war nicht gut.", {"delivery": "negative"}),
        ("Die Verarbeitung gefällt mir nicht.", {"product_quality": "negative"}),
        ("Die Rueckgabe war kompliziert und die Qualitaet ist schlecht", {"returns": "negative", "product_quality": "negative"}),
        ("El precio no es nada caro.", {"price": "positive"}),
        ("La devolución no fue fácil.", {"returns": "negative"}),
        ("Il prezzo è troppo alto, però la consegna è stata veloce.", {"price": "negative", "delivery": "positive"}),
        ("A entrega não foi nada rápida.", {"delivery": "negative"}),
        ("O atendimento foi ótimo", {"service": "positive"}),
        ("配送が遅かったですが、品質は良いです。", {"delivery": "negative", "product_quality": "positive"}),
        ("品質が良くないです。", {"product_quality": "negative"}),
        ("配送は速くも遅くもありませんでした", {"delivery": "neutral"}),
        ("返品に問題はありませんでした。", {"returns": "positive"}),
        ("物流很快，但是质量很差。", {"delivery": "positive", "product_quality": "negative"}),
        ("质量不好。", {"product_quality": "negative"}),
        ("Pengiriman cepat tapi kualitas barang jelek", {"delivery": "positive", "product_quality": "negative"}),
        ("Harganya tidak mahal", {"price": "positive"}),
        ("THE DELIVERY WAS LATE!!! 😡", {"delivery": "negative"}),
        ("Ottimo tempo. I am happy.", {}),
        ("ok", {}),
        ("👍", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_aspects_and_what_is_thought_of_them(
    vocabulary: Vocabulary, text: str, expected: dict[str, str]
) -> None:
    assert labels(vocabulary.mentions(text)) == expected


def test_a_mention_without_an_opinion_is_told_from_a_balanced_one(vocabulary: Vocabulary) -> None:
    assert vocabulary.mentions("The parcel came on Monday.") == {"delivery": Mention(0.0, 0)}
    balanced = vocabulary.mentions("Delivery was neither fast nor slow.")["delivery"]
    assert (balanced.score, balanced.opinion_count) == (0.0, 2)


def test_intensifiers_and_negations_change_the_score(vocabulary: Vocabulary) -> None:
    def score(text: str) -> float:
        return vocabulary.mentions(text)["service"].score

    good, fine, somewhat = (
        score(f"The service was {how}.") for how in ("friendly", "fine", "slightly friendly")
    )
    assert good == 1.0
    assert fine == somewhat == 0.5
    assert score("The service was very fine.") == 0.75
    assert score("The service was very friendly.") == 1.0
    assert score("The service was not friendly.") == -0.75
    assert -1 < score("The service was not friendly.") < score("The service was not fine.") < 0


def test_a_sentence_of_another_language_is_read_in_it(vocabulary: Vocabulary) -> None:
    text = "The quality is great and the price is fair. Die Lieferung war leider sehr langsam."
    expected = {"delivery": "negative", "price": "positive", "product_quality": "positive"}
    assert labels(vocabulary.mentions(text)) == expected
    assert labels(vocabulary.mentions(text, "en")) == expected


def test_a_stated_language_settles_what_words_leave_open(vocabulary: Vocabulary) -> None:
    # `fast` is quick in English, and nearly in German.
    assert labels(vocabulary.mentions("Service: fast", "en")) == {"service": "positive"}
    assert labels(vocabulary.mentions("Service: fast", "de")) == {"service": "neutral"}
    assert vocabulary.language_of("Service: fast", "de") == "de"
    assert vocabulary.language_of("Die Lieferung kam zu spät", "xx") == "de"
    assert vocabulary.language_of("12 %") is None


@pytest.mark.parametrize(
    "text",
    [
        "'; drop table reviews; --",
        "{{ config(enabled=false) }} {% set x = 1 %}",
        "\\",
        "\x00\ud7ff\u202e",
        "((((((((((",
        "a" * 5000,
        "[mail] [number]",
        None,
    ],
)
def test_a_text_is_never_more_than_words(vocabulary: Vocabulary, text: str | None) -> None:
    assert vocabulary.mentions(text) == {}


def test_a_long_text_takes_time_in_proportion(vocabulary: Vocabulary) -> None:
    sentence = "The delivery was not late and the price is great but quality, well, it broke. "
    seconds = []
    for copies in (130, 1300):
        start = time.process_time()
        mentions = vocabulary.mentions(sentence * copies)
        seconds.append(time.process_time() - start)
        assert labels(mentions)["price"] == "positive"
        assert mentions["price"].opinion_count == copies
    # 100 kB: quadratic time would be a hundredfold.
    assert seconds[1] < 40 * seconds[0]
    endless = vocabulary.mentions("not good delivery " * 6000)["delivery"]
    # Without a full stop it is read in pieces: a phrase at an edge is torn.
    assert endless.label == "negative"
    assert endless.opinion_count == pytest.approx(6000, rel=0.02)


@given(text=st.text())
def test_any_text_gives_scores_in_range(text: str) -> None:
    tiny = vocabulary_of(
        [{"aspect": "price", "language": "en", "term": "0"}],
        [
            {"language": "en", "term": "1", "kind": "opinion", "polarity": 1.0, "aspect": None},
            {"language": "en", "term": "!", "kind": "negation", "polarity": None, "aspect": None},
            {"language": "en", "term": "2", "kind": "intensifier", "polarity": 9.0, "aspect": None},
        ],
        "price",
    )
    for mention in tiny.mentions(text).values():
        assert -1 <= mention.score <= 1


# Vocabularies


PRICE = {"aspect": "price", "language": "en", "term": "price"}
GOOD = {"language": "en", "term": "good", "kind": "opinion", "polarity": 1.0, "aspect": None}


@pytest.mark.parametrize(
    ("aspect", "opinion", "words"),
    [
        ({"aspect": "prize"}, {}, "is of the aspect 'prize', which aspect_catalog lacks"),
        ({"term": "a. b"}, {}, "holds the end of a sentence"),
        ({}, {"term": "good!"}, "holds the end of a sentence"),
        ({"term": "  "}, {}, "has no word and could never be found"),
        ({}, {"term": ""}, "has no word and could never be found"),
        ({}, {"kind": "praise"}, "is of the kind 'praise', not opinion, negation"),
        ({}, {"polarity": None}, "needs a polarity from -1 to 1, not None"),
        ({}, {"polarity": 2.0}, "needs a polarity from -1 to 1, not 2.0"),
        ({}, {"polarity": float("nan")}, "needs a polarity from -1 to 1, not nan"),
        ({}, {"kind": "intensifier", "polarity": 0.0}, "needs a factor above 0"),
        ({}, {"aspect": "prize"}, "is of the aspect 'prize', which aspect_catalog lacks"),
    ],
)
def test_a_row_of_no_use_is_refused_in_one_sentence(
    aspect: dict[str, Any], opinion: dict[str, Any], words: str
) -> None:
    with pytest.raises(VocabularyError, match=r"^The term .*\.$") as refused:
        vocabulary_of([PRICE | aspect], [GOOD | opinion], "price")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "term", ["c++", "(s)", "a^b", ";)", "'quoted'", '"q"', "x|y", "\\d", "[0-9]"]
)
def test_signs_in_a_term_mean_themselves(term: str) -> None:
    own = vocabulary_of([PRICE | {"term": term}], [GOOD], "price")
    assert labels(own.mentions(f"good {term} here")) == {"price": "positive"}
    assert own.mentions("good 5 ab xs here") == {}


def test_an_empty_vocabulary_finds_nothing() -> None:
    assert vocabulary_of([], []).mentions("The price is good") == {}
    assert vocabulary_of([], [GOOD], "price").mentions("The price is good") == {}
    assert labels(vocabulary_of([PRICE], [], "price").mentions("The price is good")) == {
        "price": "neutral"
    }


def test_the_version_is_that_of_the_rows_whatever_their_order() -> None:
    one = vocabulary_of([PRICE, PRICE | {"term": "cost"}], [GOOD], "price")
    other = vocabulary_of([PRICE | {"term": "cost"}, PRICE], [GOOD], "price")
    assert one.version == other.version
    versions = {
        one.version,
        vocabulary_of([PRICE], [GOOD], "price").version,
        vocabulary_of([PRICE], [GOOD | {"polarity": 0.5}], "price").version,
        vocabulary_of([PRICE], [GOOD | {"aspect": "price"}], "price").version,
        vocabulary_of([PRICE], [GOOD], "price", "service").version,
    }
    assert len(versions) == 5


def test_the_seeds_are_ordinary_words_and_no_copy_of_the_sample_phrases() -> None:
    ways = {
        way.lower().strip(".")
        for phrases in PHRASES.values()
        for tones in phrases.aspects.values()
        for patterns in tones
        for some in patterns
        for way in some
    }
    for name in ("aspect_vocabulary", "opinion_vocabulary"):
        rows = seed(name)
        assert not ways & {row["term"] for row in rows}
        in_words = [len(row["term"].split()) for row in rows]
        assert sum(count == 1 for count in in_words) > 0.8 * len(rows)
        assert max(in_words) <= 5
        counts = Counter(row["language"] for row in rows)
        assert set(counts) >= {*LANGUAGES, "zh", "id"}
        assert min(counts.values()) >= 35


# How good it is


def reviews(config: ShopConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    """Title and text of each review as they are read, and what is true of it."""
    for block in generate_blocks(config):
        rows = zip(block["reviews"].to_pylist(), block["review_truth"].to_pylist(), strict=True)
        for review, truth in rows:
            title = f"{review['title']}\n" if review["title"] else ""
            yield title + review["text"], truth


class Scores:
    """Detection and sentiment of some mentions."""

    def __init__(self) -> None:
        self.found, self.missed, self.invented = 0, 0, 0
        self.pairs: list[tuple[str, str]] = []

    def add(self, told: str | None, mention: Mention | None) -> None:
        self.found += bool(told and mention)
        self.missed += bool(told and not mention)
        self.invented += bool(mention and not told)
        if told and mention:
            self.pairs.append((told, mention.label))

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.invented)

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed)

    @property
    def macro_f1(self) -> float:
        f1 = []
        for label in ("negative", "neutral", "positive"):
            hits = sum(told == label == said for told, said in self.pairs)
            all_of = sum((told == label) + (said == label) for told, said in self.pairs)
            f1.append(2 * hits / all_of)
        return float(np.mean(f1))


@pytest.fixture(scope="module")
def measured(vocabulary: Vocabulary) -> dict[str, Scores]:
    """Scores by aspect, by language and of all, on a shop that no word was chosen by."""
    scores: dict[str, Scores] = defaultdict(Scores)
    for text, truth in reviews(ShopConfig(seed=4711)):
        mentions = vocabulary.mentions(text)
        for aspect in ASPECTS:
            for name in ("all", aspect, truth["language"]):
                scores[name].add(truth[f"{aspect}_sentiment"], mentions.get(aspect))
    return scores


def test_aspects_are_found_and_felt_on_a_shop_of_another_seed(measured: dict[str, Scores]) -> None:
    every = measured["all"]
    assert every.precision > 0.96
    assert every.recall > 0.85
    assert every.macro_f1 > 0.89


@pytest.mark.parametrize("name", [*ASPECTS, *LANGUAGES])
def test_no_aspect_and_no_language_falls_behind(measured: dict[str, Scores], name: str) -> None:
    scores = measured[name]
    assert scores.precision > 0.92
    # What a thing is called stands in no vocabulary: "the lamp is not bad" mentions no quality.
    assert scores.recall > (0.6 if name == "product_quality" else 0.75)
    assert scores.macro_f1 > 0.75


def test_negations_are_worth_their_rules(vocabulary: Vocabulary) -> None:
    opinions = [row for row in seed("opinion_vocabulary") if "negation" not in row["kind"]]
    without = vocabulary_of(seed("aspect_vocabulary"), opinions, *vocabulary.aspects)
    scores = {"with": Scores(), "without": Scores()}
    for text, truth in reviews(ShopConfig(seed=4711, scale=0.5)):
        for name, own in (("with", vocabulary), ("without", without)):
            mentions = own.mentions(text)
            for aspect in ASPECTS:
                scores[name].add(truth[f"{aspect}_sentiment"], mentions.get(aspect))
    assert scores["with"].macro_f1 > scores["without"].macro_f1 + 0.1


# As rows


TEXTS = pa.table(
    {
        "content_hash": ["a", "b", "c", "d"],
        "masked_text": ["The price is good.", None, "ok", "Bad price, good service"],
        "language": ["en", "en", "und", "und"],
    }
)


@pytest.fixture
def find(shop: Shop) -> Callable[..., pa.Table]:
    """Aspects of some texts by small vocabularies."""

    def found(
        texts: pa.Table = TEXTS,
        past: pa.Table | None = None,
        aspects: tuple[str, ...] = ("price", "service"),
        opinions: tuple[dict[str, Any], ...] = (GOOD, GOOD | {"term": "bad", "polarity": -1.0}),
    ) -> pa.Table:
        terms = [{"aspect": aspect, "language": "en", "term": aspect} for aspect in aspects]
        return shop.written(
            find_aspects(
                run_context=shop.run_context(),
                catalog=shop.relate(pa.table({"aspect": pa.array(aspects, pa.string())})),
                aspect_terms=shop.relate(pa.Table.from_pylist(terms, schema=ASPECT_TERMS)),
                opinion_terms=shop.relate(
                    pa.Table.from_pylist(list(opinions), schema=OPINION_TERMS)
                ),
                texts=shop.relate(texts),
                past=None if past is None else shop.relate(past),
            )
        )

    return found


ASPECT_TERMS = pa.schema([(name, pa.string()) for name in ("aspect", "language", "term")])
OPINION_TERMS = pa.schema(
    [
        ("language", pa.string()),
        ("term", pa.string()),
        ("kind", pa.string()),
        ("polarity", pa.float64()),
        ("aspect", pa.string()),
    ]
)


def test_every_text_has_a_row_for_every_aspect(find: Callable[..., pa.Table]) -> None:
    rows = find().sort_by([("content_hash", "ascending"), ("aspect", "ascending")]).to_pylist()
    assert [(row["content_hash"], row["aspect"]) for row in rows] == [
        (text, aspect) for text in "abcd" for aspect in ("price", "service")
    ]
    said = {
        (row["content_hash"], row["aspect"]): (row["sentiment_label"], row["sentiment_score"])
        for row in rows
        if row["is_mentioned"]
    }
    assert said == {
        ("a", "price"): ("positive", 1.0),
        ("d", "price"): ("negative", -1.0),
        ("d", "service"): ("positive", 1.0),
    }
    assert {row["opinion_count"] for row in rows if not row["is_mentioned"]} == {0}


def test_only_new_texts_are_read_again_until_the_vocabulary_changes(
    find: Callable[..., pa.Table],
) -> None:
    first = find(TEXTS.slice(0, 2))
    second = find(past=first)
    assert set(second["content_hash"].to_pylist()) == {"c", "d"}
    everything = pa.concat_tables([first, second])
    assert find(past=everything).num_rows == 0
    assert find(past=everything).schema == first.schema
    assert find(past=everything, opinions=(GOOD,)).num_rows == 8
    assert find(past=everything, aspects=("price",)).num_rows == 4
    spoken = TEXTS.set_column(2, "language", pa.array(["en", "en", "de", "und"]))
    assert set(find(spoken, past=everything)["content_hash"].to_pylist()) == {"c"}


def test_the_order_of_rows_changes_nothing(find: Callable[..., pa.Table]) -> None:
    order = [("content_hash", "ascending"), ("aspect", "ascending")]
    turned = TEXTS.take(pa.array([3, 1, 0, 2]))
    assert find(turned, aspects=("service", "price")).sort_by(order) == find().sort_by(order)


def test_no_texts_and_no_aspects_give_typed_tables(find: Callable[..., pa.Table]) -> None:
    for rows in (find(TEXTS.slice(0, 0)), find(aspects=())):
        assert rows.num_rows == 0
        assert rows.schema == find().schema


def test_a_step_is_the_same_after_its_json(vocabulary: Vocabulary) -> None:
    step = AspectStep(vocabulary)
    again = AspectStep.from_json(json.loads(json.dumps(step.to_json())))
    rows = pa.RecordBatch.from_pylist(
        [{"masked_text": "Die Lieferung war gut, der Preis nicht.", "language": None}],
        schema=pa.schema([("masked_text", pa.string()), ("language", pa.string())]),
    )
    assert again.vocabulary.version == vocabulary.version
    assert again.apply(rows) == step.apply(rows)
