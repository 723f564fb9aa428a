"""Each text has its language, or none where nobody could say, and how sure that is."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from customer_insights.text.language import (
    DETECTOR,
    LANGUAGE_SCHEMA,
    LEAST_CONFIDENCE,
    LanguageStep,
    detect,
    detect_languages,
)

if TYPE_CHECKING:
    from conftest import Shop

FULL_WIDTH = {32: 0x3000, **{code: code + 0xFEE0 for code in range(33, 127)}}
SHORT = {
    "en": ["Broke after two weeks", "Not worth the money", "Arrived late and damaged"],
    "de": ["Nach zwei Wochen kaputt", "Nicht das Geld wert", "Kam zu spät und beschädigt an"],
    "fr": ["Cassé au bout de deux semaines", "Ne vaut pas son prix", "Arrivé en retard et abîmé"],
    "es": ["Se rompió a las dos semanas", "No vale lo que cuesta", "Llegó tarde y dañado"],
    "it": ["Si è rotto dopo due settimane", "Non vale il prezzo", "Lo adoro, lo ricomprerei"],
    "pt": ["Quebrou depois de duas semanas", "Não vale o preço", "Chegou atrasado"],
    "nl": ["Niet het geld waard", "Te laat en beschadigd aangekomen", "Prima voor de prijs"],
    "id": ["Rusak setelah dua minggu", "Datang terlambat dan rusak", "Barang bagus sekali"],
    "ja": ["二週間で壊れました", "値段に見合わない", "とても良い商品です"],
    "zh": ["两个星期就坏了", "不值这个价", "很好用的产品"],
    "ko": ["정말 좋은 제품이에요", "돈이 아까워요", "늦게 도착했어요"],
    "ru": ["Сломался через две недели", "Очень нравится, куплю ещё"],
    "ar": ["لا يستحق المال", "وصل متأخرا ومكسورا"],
    "he": ["לא שווה את הכסף", "הגיע באיחור ופגום"],
    "tr": ["Harika bir ürün, çok güzel", "İki hafta sonra bozuldu"],
    "hi": ["पैसे की बर्बादी", "बहुत अच्छा उत्पाद है"],
}


@pytest.mark.parametrize("language", SHORT)
def test_short_reviews_have_their_language(language: str) -> None:
    for text in SHORT[language]:
        found = detect(text)
        assert found.code == language, text
        assert LEAST_CONFIDENCE <= found.confidence <= 1


@pytest.mark.parametrize(
    "text", ["", "   \n\t", "👍👍👍", "12345 !!!", "<br/>", "https://shop.example/de/gut", "[mail]"]
)
def test_without_letters_there_is_no_language(text: str) -> None:
    assert detect(text) == (detect("")) == type(detect(""))(None, 0.0)


@pytest.mark.parametrize("text", ["ok", "Good", "x" * 100, "A", "👍 ok"])
def test_a_word_or_two_is_too_little_to_be_sure(text: str) -> None:
    found = detect(text)
    assert found.code is None
    assert found.confidence < LEAST_CONFIDENCE


@pytest.mark.parametrize(
    "text",
    ["I love it 我喜欢它", "Sehr gut. Very good product. Très bon.", "Отлично super product"],
)
def test_a_mixed_text_is_of_no_language(text: str) -> None:
    found = detect(text)
    assert found.code is None
    assert found.confidence <= 0.5


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("<p>Das ist <b>wirklich</b> sehr gut</p> &amp; schnell", "de"),
        ("Das ist sehr gut https://shop.example/this/is/a/very/good/english/page", "de"),
        ("This is not worth the money".translate(FULL_WIDTH), "en"),
        ("Das ist wirklich sehr gut 👍👍👍🎉", "de"),
        ("THIS IS NOT WORTH THE MONEY", "en"),
        ("Das ist nicht gut. " * 6_000, "de"),
        ("iPhoneのケースとしてとても良い商品です。また買います。", "ja"),
        ("'; drop table reviews; -- this is not worth the money", "en"),
    ],
)
def test_what_is_around_the_words_does_not_matter(text: str, language: str) -> None:
    assert detect(text).code == language


def test_a_text_is_looked_at_once(shop: Shop) -> None:
    texts = pa.table({"content_hash": ["a", "b", "c"], "masked_text": ["", *SHORT["fr"][:2]]})

    def build(rows: pa.Table, past: pa.Table | None) -> pa.Table:
        return shop.written(
            detect_languages(
                run_context=shop.run_context(),
                texts=shop.relate(rows),
                past=None if past is None else shop.relate(past),
            )
        )

    first = build(texts.slice(0, 2), None)
    assert first.schema == LANGUAGE_SCHEMA
    second = build(texts, first)
    assert second["content_hash"].to_pylist() == ["c"]
    assert second["language"].to_pylist() == ["fr"]
    assert build(texts, pa.concat_tables([first, second])).num_rows == 0


def test_a_step_takes_nulls_and_can_be_written_down() -> None:
    step = LanguageStep.from_json(LanguageStep().to_json())
    made = step.apply(pa.record_batch([pa.array([None, "Nicht das Geld wert"])], ["masked_text"]))
    assert made.column("language").to_pylist() == [None, "de"]
    assert made.schema == LanguageStep.added


def test_the_version_named_is_the_one_installed() -> None:
    assert DETECTOR.startswith("py3langid-" + ".".join(version("py3langid").split(".")[:2]) + "-")
