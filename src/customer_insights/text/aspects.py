"""What a text says about delivery, price and the like, by a vocabulary that people can read.

Opinions are counted as in lexicon-based sentiment analysis (Taboada et al., "Lexicon-Based Methods
for Sentiment Analysis", Computational Linguistics 37(2), 2011): a negation shifts an opinion
towards its opposite and not all the way, an intensifier strengthens or weakens it. Each opinion is
of the aspect that stands nearest in its clause.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import pyarrow as pa

from customer_insights.engine import Derived, Relation
from customer_insights.errors import VocabularyError
from customer_insights.text.reading import READ_FROM, texts_read
from customer_insights.text.words import Found, TermIndex, has_kana, is_unspaced, words_of

OpinionKind = Literal[
    "opinion", "negation", "negation_after", "contrast", "addition", "intensifier"
]
OPINION_KINDS: tuple[str, ...] = get_args(OpinionKind)

# Number of the rules below; a change of theirs is a change of every text's aspects.
RULES_VERSION = 1

# Polarity from which a mean of opinions is positive, and below whose opposite it is negative.
LABEL_LIMIT = 0.3
# What is left of an opinion that is negated: "not bad" is less than good, "not good" not yet bad.
NEGATED = -0.75
# Words, or letters of an unspaced script, over which a negation reaches forward and backward.
NEGATION_REACH = 5
UNSPACED_REACH = 10
REACH_BACK = 5
# Letters between two opinions that one negation after them turns both: "neither fast nor slow".
CHAINED = 2
# Words that a comma or an "and" counts for where the nearest aspect is looked for.
BREAK_DISTANCE = 3
# Words between two aspects that share an opinion: "price and quality are great".
SHARED_DISTANCE = 3
# Votes of the language that the whole text is in, where a sentence may be in another.
OWN_LANGUAGE_VOTES = 1.0
STATED_LANGUAGE_VOTES = 3.0

# After folding, which makes the plain signs of the wide ones.
SENTENCE_ENDS = frozenset(".!?。\n")
COMMAS = frozenset(",;、:(")
# Words of a sentence at most; a text without full stops is read in pieces.
MAX_SENTENCE = 200

ADDED = pa.schema(
    [
        ("aspect", pa.string()),
        ("is_mentioned", pa.bool_()),
        ("sentiment_label", pa.string()),
        ("sentiment_score", pa.float64()),
        ("opinion_count", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Opinion:
    """What one term of the opinion vocabulary means; `aspect` empty: of whatever it is said."""

    kind: OpinionKind
    polarity: float
    aspect: str


@dataclass(frozen=True)
class Mention:
    """What a text says about an aspect: mean polarity in [-1, 1] and of how many opinions."""

    score: float
    opinion_count: int

    @property
    def label(self) -> str:
        """Positive, neutral or negative; a mention without an opinion is neutral."""
        if self.score >= LABEL_LIMIT:
            return "positive"
        return "negative" if self.score <= -LABEL_LIMIT else "neutral"


class Vocabulary:
    """Terms of aspects and opinions by language, compiled.

    Args:
        aspects: the aspects, in the order in which rows are made.
        aspect_terms: aspect, language and term of each row.
        opinion_terms: language, term, kind, polarity and aspect of each row; a polarity is in
            [-1, 1] for an opinion, a factor above 0 for an intensifier, else null.

    Raises:
        VocabularyError: a row is of no use; the message says which and why.

    """

    def __init__(
        self,
        aspects: Sequence[str],
        aspect_terms: Sequence[Sequence[str]],
        opinion_terms: Sequence[Sequence[Any]],
    ) -> None:
        self.aspects = tuple(aspects)
        # In one order, whatever the order of rows.
        self._aspect_terms = sorted([str(v) for v in row] for row in aspect_terms)
        self._opinion_terms = sorted(
            (
                [lang, term, kind, polarity, aspect or ""]
                for lang, term, kind, polarity, aspect in opinion_terms
            ),
            key=lambda row: json.dumps(row, ensure_ascii=False),
        )
        self._by_language: dict[str, tuple[TermIndex[str], TermIndex[Opinion]]] = {}
        self._votes: TermIndex[str] = TermIndex()
        for aspect, language, term in self._aspect_terms:
            self._add_aspect(aspect, language, term)
        for language, term, kind, polarity, aspect in self._opinion_terms:
            self._add_opinion(language, term, kind, polarity, aspect)

    @property
    def version(self) -> str:
        """Fingerprint of the terms and of the rules by which they are read."""
        written = json.dumps([RULES_VERSION, self.to_json()], sort_keys=True).encode()
        return f"aspects-{hashlib.sha256(written).hexdigest()[:12]}"

    def to_json(self) -> dict[str, Any]:
        """The rows that it was made of."""
        return {
            "aspects": list(self.aspects),
            "aspect_terms": self._aspect_terms,
            "opinion_terms": self._opinion_terms,
        }

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> Vocabulary:
        """What `to_json` wrote."""
        return cls(written["aspects"], written["aspect_terms"], written["opinion_terms"])

    def mentions(self, text: str | None, language: str | None = None) -> dict[str, Mention]:
        """What a text says, by aspect; an aspect that it does not mention is left out.

        Args:
            text: the text; null says nothing.
            language: code of its language, null where nobody has told. A sentence of a mixed text
                may still be read in another.

        """
        sentences = _sentences(words_of(text or ""))
        votes = [self._languages_of(sentence) for sentence in sentences]
        is_japanese = has_kana(text or "")
        own = self._language_of_all(votes, language, is_japanese)
        found: dict[str, list[float]] = defaultdict(list)
        for sentence, vote in zip(sentences, votes, strict=True):
            spoken = _elected(vote, own, OWN_LANGUAGE_VOTES, is_japanese)
            if spoken is not None:
                self._read(sentence, spoken, found)
        return {
            aspect: Mention(_mean(found[aspect]), len(found[aspect]))
            for aspect in self.aspects
            if aspect in found
        }

    def language_of(self, text: str | None, language: str | None = None) -> str | None:
        """The language that most of a text is in; null where it has no word of any.

        It is good enough to read a text with, and made for nothing else.

        Args:
            text: the text.
            language: code of its language, null where nobody has told.

        """
        votes = [self._languages_of(sentence) for sentence in _sentences(words_of(text or ""))]
        return self._language_of_all(votes, language, has_kana(text or ""))

    def _add_aspect(self, aspect: str, language: str, term: str) -> None:
        where = f"The term {term!r} ({language}) of the aspect vocabulary"
        if aspect not in self.aspects:
            raise VocabularyError(
                f"{where} is of the aspect {aspect!r}, which aspect_catalog lacks."
            )
        index, _ = self._indexes(language)
        _refuse_unfindable(term, index.add(term, aspect), where)
        self._votes.add(term, language)

    def _add_opinion(
        self, language: str, term: str, kind: str, polarity: float | None, aspect: str
    ) -> None:
        where = f"The term {term!r} ({language}) of the opinion vocabulary"
        if kind not in OPINION_KINDS:
            raise VocabularyError(
                f"{where} is of the kind {kind!r}, not {', '.join(OPINION_KINDS)}."
            )
        if kind == "opinion" and (polarity is None or not -1 <= polarity <= 1):
            raise VocabularyError(f"{where} needs a polarity from -1 to 1, not {polarity}.")
        if kind == "intensifier" and (polarity is None or not 0 < polarity <= 10):
            raise VocabularyError(f"{where} needs a factor above 0 as polarity, not {polarity}.")
        if aspect and aspect not in self.aspects:
            raise VocabularyError(
                f"{where} is of the aspect {aspect!r}, which aspect_catalog lacks."
            )
        _, index = self._indexes(language)
        is_added = index.add(term, Opinion(cast(OpinionKind, kind), polarity or 0.0, aspect))
        _refuse_unfindable(term, is_added, where)
        self._votes.add(term, language)

    def _indexes(self, language: str) -> tuple[TermIndex[str], TermIndex[Opinion]]:
        return self._by_language.setdefault(language, (TermIndex(), TermIndex()))

    def _languages_of(self, sentence: Sequence[str]) -> dict[str, float]:
        """Votes of a sentence's words: a term that several languages have is shared among them."""
        votes: dict[str, float] = defaultdict(float)
        for place in range(len(sentence)):
            spoken = set(self._votes.all_values(sentence, place))
            for language in spoken:
                votes[language] += 1 / len(spoken)
        return votes

    def _language_of_all(
        self, votes: Sequence[Mapping[str, float]], stated: str | None, is_japanese: bool
    ) -> str | None:
        total: dict[str, float] = defaultdict(float)
        for vote in votes:
            for language, count in sorted(vote.items()):
                total[language] += count
        known = stated if stated in self._by_language else None
        return _elected(total, known, STATED_LANGUAGE_VOTES, is_japanese)

    def _read(self, sentence: Sequence[str], language: str, found: dict[str, list[float]]) -> None:
        aspect_index, opinion_index = self._by_language[language]
        mentions = aspect_index.scan(sentence)
        opinions = opinion_index.scan(sentence)
        for start, end in _clauses(len(sentence), opinions):
            _weigh(
                sentence,
                [one for one in mentions if start <= one.start < end],
                [one for one in opinions if start <= one.start < end],
                found,
            )


def _refuse_unfindable(term: str, is_added: bool, where: str) -> None:
    if not is_added:
        raise VocabularyError(f"{where} has no word and could never be found; take it out.")
    if len(_sentences([*words_of(term.removesuffix("*")), "end"])) > 1:
        raise VocabularyError(f"{where} holds the end of a sentence; no term reaches beyond it.")


def _sentences(words: Sequence[str]) -> list[Sequence[str]]:
    """Words between the ends of sentences; a full stop between digits is none."""
    sentences, begin = [], 0
    for place, word in enumerate(words):
        is_decimal = (
            word == "."
            and 0 < place < len(words) - 1
            and words[place - 1].isdigit()
            and words[place + 1].isdigit()
        )
        is_end = word in SENTENCE_ENDS and not is_decimal
        if is_end or place - begin == MAX_SENTENCE:
            sentences.append(words[begin:place])
            begin = place + is_end
    sentences.append(words[begin:])
    return [sentence for sentence in sentences if sentence]


def _elected(
    votes: Mapping[str, float], own: str | None, own_votes: float, is_japanese: bool
) -> str | None:
    """The language with most votes; the first in the alphabet settles a tie."""
    counted = {one: count for one, count in votes.items() if not (is_japanese and one == "zh")}
    if own is not None:
        counted[own] = counted.get(own, 0.0) + own_votes
    if not counted:
        return None
    return min(counted, key=lambda one: (-round(counted[one], 9), one != own, one))


def _clauses(length: int, opinions: Sequence[Found[Opinion]]) -> Iterator[tuple[int, int]]:
    """Parts of a sentence between words of contrast."""
    begin = 0
    for one in opinions:
        if any(value.kind == "contrast" for value in one.values):
            yield begin, one.start
            begin = one.end
    yield begin, length


def _weigh(
    words: Sequence[str],
    mentions: Sequence[Found[str]],
    opinions: Sequence[Found[Opinion]],
    found: dict[str, list[float]],
) -> None:
    """Give each opinion of a clause to the nearest aspect; a mention alone has none."""
    said: list[list[float]] = [[] for _ in mentions]
    breaks = {
        *(place for place, word in enumerate(words) if word in COMMAS),
        *(one.start for one in opinions if any(v.kind == "addition" for v in one.values)),
    }
    for one, factor in _shifted(words, opinions):
        if not mentions:
            break
        place = min(range(len(mentions)), key=lambda k: _distance(breaks, mentions[k], one))
        for aspect in mentions[place].values:
            polarity = _polarity(one, aspect)
            if polarity is not None:
                said[place].append(max(-1.0, min(1.0, polarity * factor)))
    for place, mention in enumerate(mentions):
        values = said[place] or _shared(mentions, said, place)
        for aspect in mention.values:
            found[aspect] += values


def _shifted(
    words: Sequence[str], opinions: Sequence[Found[Opinion]]
) -> list[tuple[Found[Opinion], float]]:
    """The opinions of a clause, each with the factor of its negation and its intensifier."""
    shifted: list[tuple[Found[Opinion], float]] = []
    negated_until, strength, strong_until = -1, 1.0, -1
    for place, one in enumerate(opinions):
        kinds = {value.kind: value.polarity for value in one.values}
        following = opinions[place + 1] if place + 1 < len(opinions) else None
        is_before = following is not None and following.start == one.end
        if "intensifier" in kinds and ("opinion" not in kinds or is_before):
            strength, strong_until = kinds["intensifier"], one.end + 1
        elif "opinion" in kinds:
            factor = strength if one.start <= strong_until else 1.0
            is_negated = one.start < negated_until
            shifted.append((one, factor * (NEGATED if is_negated else 1.0)))
            strength = 1.0
        elif "negation" in kinds:
            is_cut_off = any(word in COMMAS for word in words[one.end : one.end + 1])
            is_last = not any(_is_opinion(later) for later in opinions[place + 1 :])
            if is_cut_off or is_last:
                _negate_last(shifted, one)
            else:
                is_letter = is_unspaced(words[one.start])
                negated_until = one.end + (UNSPACED_REACH if is_letter else NEGATION_REACH)
        elif "negation_after" in kinds:
            _negate_last(shifted, one)
    return shifted


def _is_opinion(one: Found[Opinion]) -> bool:
    return any(value.kind == "opinion" for value in one.values)


def _negate_last(shifted: list[tuple[Found[Opinion], float]], negation: Found[Opinion]) -> None:
    """Negate the opinion right before a negation that follows it, and those that go with it."""
    reach, start = REACH_BACK, negation.start
    for place in range(len(shifted) - 1, -1, -1):
        one, factor = shifted[place]
        if start - one.end > reach:
            break
        shifted[place] = (one, factor * NEGATED if factor > 0 else factor)
        reach, start = CHAINED, one.start


def _polarity(one: Found[Opinion], aspect: str) -> float | None:
    """What an opinion means of an aspect; one for the aspect alone goes before the general one."""
    by_aspect = {value.aspect: value.polarity for value in one.values if value.kind == "opinion"}
    return by_aspect.get(aspect, by_aspect.get(""))


def _between(one: Found[Any], other: Found[Any]) -> tuple[int, int]:
    """From the end of the first of two terms to the start of the second."""
    return min(one.end, other.end), max(one.start, other.start)


def _distance(breaks: set[int], mention: Found[str], one: Found[Opinion]) -> tuple[int, bool]:
    """Words between an aspect and an opinion, and whether the aspect comes after it."""
    start, end = _between(mention, one)
    crossed = sum(start <= place < end for place in breaks)
    return max(0, end - start) + BREAK_DISTANCE * crossed, mention.start > one.start


def _shared(mentions: Sequence[Found[str]], said: Sequence[list[float]], place: int) -> list[float]:
    """The opinions of the aspect next to one that has none of its own."""
    for other in (place + 1, place - 1):
        if 0 <= other < len(mentions) and said[other]:
            start, end = _between(mentions[place], mentions[other])
            if end - start <= SHARED_DISTANCE:
                return said[other]
    return []


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 9) if values else 0.0


@dataclass(frozen=True)
class AspectStep:
    """A row for each aspect of the catalog for each text: whether it is mentioned, and how."""

    vocabulary: Vocabulary

    batch_rows = 20_000
    added = ADDED
    inputs = READ_FROM

    @property
    def rows_each(self) -> int:
        """As many as there are aspects."""
        return len(self.vocabulary.aspects)

    def apply(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """`rows_each` rows of `added` for each text."""
        made: list[dict[str, object]] = []
        texts, languages = rows.column("masked_text"), rows.column("language")
        for text, language in zip(texts.to_pylist(), languages.to_pylist(), strict=True):
            mentions = self.vocabulary.mentions(text, language)
            for aspect in self.vocabulary.aspects:
                mention = mentions.get(aspect)
                made.append(
                    {
                        "aspect": aspect,
                        "is_mentioned": mention is not None,
                        "sentiment_label": mention.label if mention else None,
                        "sentiment_score": mention.score if mention else None,
                        "opinion_count": mention.opinion_count if mention else 0,
                    }
                )
        return pa.RecordBatch.from_pylist(made, schema=self.added)

    def to_json(self) -> dict[str, Any]:
        """Itself as values of JSON."""
        return {"step": "aspects", **self.vocabulary.to_json()}

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> AspectStep:
        """What `to_json` wrote."""
        return cls(Vocabulary.from_json(written))


def read_vocabulary(
    catalog: Relation, aspect_terms: Relation, opinion_terms: Relation
) -> Vocabulary:
    """The vocabulary of three seeds.

    Raises:
        VocabularyError: a row is of no use.

    """

    def rows(relation: Relation, *columns: str) -> list[list[Any]]:
        return [list(row.values()) for row in relation.select(*columns).read().to_pylist()]

    return Vocabulary(
        sorted(name for (name,) in rows(catalog, "aspect")),
        rows(aspect_terms, "aspect", "language", "term"),
        rows(opinion_terms, "language", "term", "kind", "polarity", "aspect"),
    )


def find_aspects(
    *,
    run_context: Relation,
    catalog: Relation,
    aspect_terms: Relation,
    opinion_terms: Relation,
    texts: Relation,
    past: Relation | None,
) -> Derived:
    """Aspects of the texts that this vocabulary has not read yet.

    Args:
        run_context: this run's settings.
        catalog: the aspects.
        aspect_terms: their terms by language.
        opinion_terms: terms of opinions, negations and the like by language.
        texts: one row for each `content_hash`, with `masked_text` and `language`.
        past: what earlier builds found; None on the first.

    Raises:
        VocabularyError: a row of a vocabulary is of no use.

    """
    vocabulary = read_vocabulary(catalog, aspect_terms, opinion_terms)
    return texts_read(
        AspectStep(vocabulary),
        vocabulary.version,
        "found_at",
        run_context=run_context,
        texts=texts,
        past=past,
    )
