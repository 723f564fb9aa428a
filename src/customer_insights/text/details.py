"""How much a text tells: counts of what makes a review worth reading.

Length, numbers, first-person experience and the aspects that a review speaks of are what reviews
that readers found helpful have more of (Kim et al., "Automatically Assessing Review Helpfulness",
EMNLP 2006). What each count weighs is a seed, so that a change of weights reads no text again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from customer_insights.engine import Derived, Relation
from customer_insights.errors import VocabularyError
from customer_insights.text.aspects import Vocabulary, read_vocabulary
from customer_insights.text.reading import READ_FROM, texts_read
from customer_insights.text.words import Found, TermIndex, is_unspaced, words_of

# Number of the rules below; a change of theirs is a change of every text's counts.
RULES_VERSION = 1

DETAIL_KINDS = ("time", "experience")
# Letters of an unspaced script that make a word, on average: Japanese words have about two.
LETTERS_PER_WORD = 2
# What masking leaves says nothing: macros/engine/cortex_text.sql
MASKS = re.compile(r"\[(?:mail|number)\]")

ADDED = pa.schema(
    [
        ("word_count", pa.int32()),
        ("aspect_count", pa.int32()),
        ("number_count", pa.int32()),
        ("time_word_count", pa.int32()),
        ("experience_word_count", pa.int32()),
    ]
)


class DetailVocabulary:
    """Words of time and of own experience by language, beside the aspects.

    Args:
        aspects: what aspects are found with.
        terms: language, term and kind (time or experience) of each row.

    Raises:
        VocabularyError: a row is of no use; the message says which and why.

    """

    def __init__(self, aspects: Vocabulary, terms: Sequence[Sequence[str]]) -> None:
        self.aspects = aspects
        self._terms = sorted([str(v) for v in row] for row in terms)
        self._index: dict[str, TermIndex[str]] = {}
        for language, term, kind in self._terms:
            where = f"The term {term!r} ({language}) of the detail vocabulary"
            if kind not in DETAIL_KINDS:
                raise VocabularyError(f"{where} is of the kind {kind!r}, not time or experience.")
            if not self._index.setdefault(language, TermIndex()).add(term, kind):
                raise VocabularyError(f"{where} has no word and could never be found; take it out.")

    @property
    def version(self) -> str:
        """Fingerprint of the terms and of the rules by which they are read."""
        written = json.dumps([RULES_VERSION, self.aspects.version, self._terms]).encode()
        return f"details-{hashlib.sha256(written).hexdigest()[:12]}"

    def to_json(self) -> dict[str, Any]:
        """The rows that it was made of."""
        return {"aspects": self.aspects.to_json(), "terms": self._terms}

    def counts(self, text: str | None, language: str | None = None) -> dict[str, int]:
        """What a text has of each column of `ADDED`, count; none of anything in a null text."""
        bare = MASKS.sub(" ", text or "")
        words = words_of(bare)
        letters = sum(map(is_unspaced, words))
        spaced = sum(word[0].isalnum() for word in words) - letters
        spoken = self.aspects.language_of(bare, language)
        kinds = {kind: self._count(kind, words, spoken) for kind in DETAIL_KINDS}
        return {
            "word_count": spaced + letters // LETTERS_PER_WORD,
            "aspect_count": len(self.aspects.mentions(bare, language)),
            "number_count": sum(word[0].isdigit() for word in words),
            "time_word_count": kinds["time"],
            "experience_word_count": kinds["experience"],
        }

    def _count(self, kind: str, words: Sequence[str], spoken: str | None) -> int:
        """Words of a kind in a language; where that is not known, in the one that has most."""
        known = self._index.get(spoken or "")
        indexes = [known] if known is not None else list(self._index.values())
        return max((_count_of(kind, index.scan(words)) for index in indexes), default=0)


def _count_of(kind: str, found: Sequence[Found[str]]) -> int:
    return sum(kind in one.values for one in found)


@dataclass(frozen=True)
class DetailStep:
    """The counts of each text."""

    vocabulary: DetailVocabulary

    rows_each = 1
    batch_rows = 20_000
    added = ADDED
    inputs = READ_FROM

    def apply(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """One row of `added` for each text."""
        texts, languages = rows.column("masked_text"), rows.column("language")
        made = [
            self.vocabulary.counts(text, language)
            for text, language in zip(texts.to_pylist(), languages.to_pylist(), strict=True)
        ]
        return pa.RecordBatch.from_pylist(made, schema=self.added)

    def to_json(self) -> dict[str, Any]:
        """Itself as values of JSON."""
        return {"step": "details", **self.vocabulary.to_json()}

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> DetailStep:
        """What `to_json` wrote."""
        return cls(DetailVocabulary(Vocabulary.from_json(written["aspects"]), written["terms"]))


def count_details(
    *,
    run_context: Relation,
    catalog: Relation,
    aspect_terms: Relation,
    opinion_terms: Relation,
    detail_terms: Relation,
    texts: Relation,
    past: Relation | None,
) -> Derived:
    """Counts of the texts that these vocabularies have not read yet.

    Args:
        run_context: this run's settings.
        catalog: the aspects.
        aspect_terms: their terms by language.
        opinion_terms: terms of opinions, negations and the like by language.
        detail_terms: words of time and experience by language.
        texts: one row for each `content_hash`, with `masked_text` and `language`.
        past: counts of earlier builds; None on the first.

    Raises:
        VocabularyError: a row of a vocabulary is of no use.

    """
    aspects = read_vocabulary(catalog, aspect_terms, opinion_terms)
    terms = detail_terms.select("language", "term", "kind").read().to_pylist()
    vocabulary = DetailVocabulary(aspects, [list(row.values()) for row in terms])
    return texts_read(
        DetailStep(vocabulary),
        vocabulary.version,
        "counted_at",
        run_context=run_context,
        texts=texts,
        past=past,
    )
