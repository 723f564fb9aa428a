"""What each review says: its language, what it is about, how it feels, and the words for it.

The text is drawn from random numbers of its own, so that a new phrase changes no rating.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer_insights.sample.columns import Bools, Floats, Ints, labels
from customer_insights.sample.config import ShopConfig, Step
from customer_insights.sample.people import LOCATIONS, People
from customer_insights.sample.phrases import ASPECTS, LANGUAGES, PHRASES
from customer_insights.sample.phrases.patterns import Ways
from customer_insights.sample.products import ASSORTMENT
from customer_insights.sample.spelling import misspelt

BAD, MIDDLING, GOOD = range(3)
SENTIMENTS = ("negative", "neutral", "positive")
GENERIC, BASIC, DETAILED = range(3)
QUALITIES = ("generic", "basic", "detailed")
GENERAL = "general"

# Languages of the customers of a place, as weights: people move, and order from abroad.
SPOKEN: dict[str, dict[str, float]] = {
    "London": {"en": 62, "ja": 14, "it": 8, "pt": 8, "es": 4, "fr": 4},
    "Dublin": {"en": 80, "pt": 15, "de": 5},
    "Paris": {"fr": 80, "ja": 8, "it": 6, "pt": 6},
    "Madrid": {"es": 92, "en": 8},
    "Lisbon": {"pt": 95, "en": 5},
    "Berlin": {"de": 85, "en": 10, "it": 5},
    "Vienna": {"de": 85, "it": 10, "en": 5},
    "Milan": {"it": 100},
    "Amsterdam": {"en": 50, "de": 25, "ja": 25},
}

TONE_NOISE = 0.35
ASPECT_NOISE = 0.5
CONTRARY_SHARE = 0.07

# Texts that are generic, basic and detailed; and those of the generic ones that are a word or two.
QUALITY_SHARES = (0.27, 0.40, 0.33)
SHORT_SHARE = 0.4
TERSE_SHARE = 0.4

# How likely an aspect is to be among those of a text, relative to the others.
ASPECT_WEIGHTS = (0.5, 0.35, 0.9, 0.25, 0.08)
RETURN_WEIGHT = 3.0
ASPECT_COUNTS = {BASIC: (35, 30, 25, 10), DETAILED: (40, 35, 20, 5)}

CONTRAST_SHARE = 0.7
ADDITION_SHARE = 0.25
MIXED_SHARE = 0.03
CONTACT_SHARE = 0.03
EMOJI_SHARE = 0.12
EMOJI = (("😡", "😞", "👎", "🙄"), ("😐", "🤔", "🤷"), ("😊", "😍", "👍", "❤️", "🎉"))

# Random numbers that are enough for the longest text.
DRAWS = 160

ORDER_DIGITS = 8


@dataclass(frozen=True)
class Moods:
    """What the writers of some reviews feel, a value for each; tones are 0 to 2, bad to good."""

    score: Floats
    delivery_tone: Ints
    is_returned: Bools
    person: Ints
    order: Ints
    kind: tuple[str | None, ...]


@dataclass(frozen=True)
class Texts:
    """Titles and texts of some reviews, and what is true of them; `aspects` as `ASPECTS` go."""

    title: pa.Array
    text: pa.Array
    language: pa.Array
    sentiment: pa.Array
    quality: pa.Array
    topic: pa.Array
    aspects: tuple[pa.Array, ...]


def languages_of(people: People, draw: Floats) -> Ints:
    """The language of each person, a row of `LANGUAGES`; it follows from where they live."""
    shares = np.array([[SPOKEN[place].get(code, 0.0) for code in LANGUAGES] for place in LOCATIONS])
    edges = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)[people.region - 1]
    language: Ints = (edges[:, :-1] <= draw[:, None]).sum(axis=1)
    return language


def write_texts(config: ShopConfig, people: People, moods: Moods, block: int) -> Texts:
    """Write a title and a text for each review of a block."""
    random = config.random(Step.TEXTS, block)
    spoken = languages_of(people, random.random(len(people)))[moods.person]
    size = len(moods.score)
    tone = np.searchsorted(
        (2.5, 3.5), moods.score + random.normal(0.0, TONE_NOISE, size), side="right"
    )
    aspect_tones = _aspect_tones(random, moods)
    draws = random.random((size, DRAWS))
    written = [
        _Writer(draws[row], LANGUAGES[spoken[row]]).write(
            int(tone[row]),
            tuple(int(one) for one in aspect_tones[:, row]),
            moods.kind[row],
            bool(moods.is_returned[row]),
            int(moods.order[row]),
        )
        for row in range(size)
    ]
    topics = (*ASPECTS, GENERAL)
    said = np.array([one.said for one in written], np.int64).reshape(size, len(ASPECTS))
    return Texts(
        title=pa.array((one.title for one in written), pa.string()),
        text=pa.array((one.text for one in written), pa.string()),
        language=labels(LANGUAGES, spoken),
        sentiment=labels(SENTIMENTS, tone),
        quality=labels(QUALITIES, np.array([one.quality for one in written], np.int64)),
        topic=labels(topics, np.array([one.topic for one in written], np.int64)),
        aspects=tuple(labels(SENTIMENTS, column, column != UNSAID) for column in said.T),
    )


def _aspect_tones(random: np.random.Generator, moods: Moods) -> Ints:
    """How each writer feels about each aspect (row), whether they will speak of it or not."""
    size = len(moods.score)
    felt = moods.score + random.normal(0.0, ASPECT_NOISE, (len(ASPECTS), size))
    tones = np.searchsorted((2.75, 3.5), felt, side="right")
    tones[ASPECTS.index("delivery")] = moods.delivery_tone
    # The opposite of what goes with the rest, now and then.
    is_contrary = random.random(tones.shape) < CONTRARY_SHARE
    opposite: Ints = np.where(is_contrary, GOOD - tones, tones)
    return opposite


UNSAID = -1


@dataclass(frozen=True)
class _Written:
    title: str
    text: str
    quality: int
    topic: int
    said: tuple[int, ...]


class _Writer:
    """Writes one review, with random numbers that are taken one after the other."""

    def __init__(self, draws: Floats, language: str) -> None:
        self._next: Callable[[], float] = iter(draws.tolist()).__next__
        self._language = language
        self._phrases = PHRASES[language]

    def write(
        self, tone: int, tones: tuple[int, ...], kind: str | None, is_returned: bool, order: int
    ) -> _Written:
        """Write the title and the text of a review."""
        title = self._one_of(self._phrases.title[tone])
        quality = self._weighted(QUALITY_SHARES)
        if quality == GENERIC:
            return _Written(
                title, self._generic(tone), quality, len(ASPECTS), (UNSAID,) * len(ASPECTS)
            )
        count = 1 + self._weighted(ASPECT_COUNTS[quality])
        chosen = self._aspects(count, kind is not None, is_returned)
        said = tuple(tones[a] if a in chosen else UNSAID for a in range(len(ASPECTS)))
        sentences = self._about(chosen, said, kind)
        is_terse = self._happens(TERSE_SHARE)
        if quality == DETAILED:
            told = list(self._phrases.experience)
            for _ in range(1 if is_terse else 1 + self._weighted((60, 30, 10))):
                found = told.pop(int(self._next() * len(told)))
                place = int(self._next() * (len(sentences) + 1))
                sentences.insert(place, found[int(self._next() * len(found))])
        # Without the overall word, nobody could tell what a text of other opinions feels like.
        is_clear = all(said[a] == tone for a in chosen)
        if not is_clear or (not is_terse and self._happens(0.45)):
            sentences.insert(0, self._one_of(self._phrases.opening[tone]))
        if not is_terse:
            sentences += self._sometimes(0.3, self._phrases.closing[tone])
            sentences += self._sometimes(0.35 if quality == BASIC else 0.1, self._phrases.filler)
        sentences += self._contact(order)
        return _Written(title, self._finished(sentences, tone), quality, chosen[0], said)

    def _generic(self, tone: int) -> str:
        """A text that could be about anything: a word, or several sentences."""
        phrases = self._phrases
        if self._happens(SHORT_SHARE):
            return self._one_of(phrases.short[tone])
        sentences = [self._one_of(phrases.opening[tone])]
        sentences += self._sometimes(0.35, phrases.filler)
        sentences += self._sometimes(0.5, phrases.closing[tone])
        sentences += self._sometimes(0.3, phrases.filler)
        return self._finished(list(dict.fromkeys(sentences)), tone)

    def _aspects(self, count: int, has_product: bool, is_returned: bool) -> list[int]:
        """Draw what the text is about, the main thing first."""
        weights = list(ASPECT_WEIGHTS)
        weights[ASPECTS.index("product_quality")] *= has_product
        weights[ASPECTS.index("returns")] *= (
            RETURN_WEIGHT / ASPECT_WEIGHTS[-1] if is_returned else 1
        )
        chosen: list[int] = []
        for _ in range(count):
            aspect = self._weighted(weights)
            chosen.append(aspect)
            weights[aspect] = 0.0
        return chosen

    def _about(self, chosen: list[int], said: tuple[int, ...], kind: str | None) -> list[str]:
        """Sentences about some aspects; two clauses of them are joined now and then."""
        phrases = self._phrases
        sentences: list[str] = []
        last_tone = UNSAID
        for aspect in chosen:
            clause = self._one_of(phrases.aspects[ASPECTS[aspect]][said[aspect]])
            if kind is not None:
                clause = clause.replace("{thing}", phrases.things[kind])
            is_contrast = {last_tone, said[aspect]} == {BAD, GOOD}
            joiners = phrases.contrast if is_contrast else phrases.addition
            may_join = is_contrast or last_tone == said[aspect]
            share = CONTRAST_SHARE if is_contrast else ADDITION_SHARE
            if sentences and may_join and self._happens(share):
                joiner = joiners[int(self._next() * len(joiners))]
                sentences[-1] = f"{sentences[-1].removesuffix(phrases.stop)}{joiner}{clause}"
                last_tone = UNSAID
            else:
                sentences.append(clause)
                last_tone = said[aspect]
            sentences[-1] += phrases.stop
        return sentences

    def _contact(self, order: int) -> list[str]:
        """Now and then what masking must find: made-up numbers and addresses."""
        found = self._sometimes(CONTACT_SHARE, self._phrases.contact)
        number = str(int(self._next() * 10**ORDER_DIGITS)).zfill(ORDER_DIGITS)
        return [
            sentence.replace("{order}", f"o-{order:0{ORDER_DIGITS}}")
            .replace("{mail}", f"buyer.{number[:4]}@example.com")
            .replace("{phone}", f"+44 20 7946 0{number[:3]}")
            for sentence in found
        ]

    def _finished(self, sentences: list[str], tone: int) -> str:
        """Capitals, numbers, emoji and slips of the pen."""
        phrases = self._phrases
        if self._happens(MIXED_SHARE):
            other = "en" if self._language != "en" else LANGUAGES[1 + int(self._next() * 3)]
            sentences = [*sentences, self._one_of(PHRASES[other].closing[tone])]
        capital = [sentence[:1].upper() + sentence[1:] for sentence in sentences]
        pieces = phrases.between.join(capital).split("{n}")
        text = pieces[0] + "".join(f"{2 + int(self._next() * 8)}{piece}" for piece in pieces[1:])
        text = misspelt(text, self._language, self._next)
        if self._happens(EMOJI_SHARE):
            emoji = EMOJI[tone]
            text = f"{text} {emoji[int(self._next() * len(emoji))]}"
        return text

    def _happens(self, share: float) -> bool:
        return self._next() < share

    def _weighted(self, weights: tuple[float, ...] | list[float]) -> int:
        """Draw a place in proportion to weights."""
        left = self._next() * sum(weights)
        for place, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return place
        return max(place for place, weight in enumerate(weights) if weight)

    def _one_of(self, patterns: Ways) -> str:
        """Draw a pattern, then one of its ways."""
        found = patterns[int(self._next() * len(patterns))]
        return found[int(self._next() * len(found))]

    def _sometimes(self, share: float, patterns: Ways) -> list[str]:
        return [self._one_of(patterns)] if self._happens(share) else []


def kinds_of(names: list[str]) -> tuple[str, ...]:
    """What things are sold under these names: `Mixing Bowl` of `Small Mixing Bowl 1`."""
    known = {kind for _, kinds in ASSORTMENT.values() for kind in kinds}
    kinds = tuple(name.split(" ", 1)[1].rsplit(" ", 1)[0] for name in names)
    assert known.issuperset(kinds)  # noqa: S101  (made by `make_products`)
    return kinds
