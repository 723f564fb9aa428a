"""The language of a text, with how sure that is, and none where nobody could say.

The model is that of py3langid (naive Bayes over n-grams of bytes; Lui and Baldwin 2012, "langid.py:
an off-the-shelf language identification tool"); docs/decisions say what else was measured.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
from py3langid.langid import LanguageIdentifier

import customer_insights.blas  # noqa: F401  (limits its threads)
from customer_insights.engine import Derived, Input, Part, Relation
from customer_insights.settings import read_settings
from customer_insights.text.cleaning import cleaned
from customer_insights.text.sentiment import TEXT, texts_of

# What makes an answer: the package, and what is made of its answers here.
DETECTOR = "py3langid-0.4-1"
# Languages that shops are reviewed in, ISO 639-1. Of two that short texts do not tell apart the one
# that is written more: Indonesian for Malay, Dutch for Afrikaans, Croatian for Bosnian.
LANGUAGES = (  # noqa: SIM905  (a list of them is a page long)
    "ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ka ko lt lv nl no pl pt ro ru "
    "sk sl sq sr sv ta te th tr uk ur vi zh"
).split()
# Below it three answers in ten are wrong, above it fewer than one in a hundred (PRDECT-ID).
LEAST_CONFIDENCE = 0.5
# More of a text says nothing more.
MOST_CHARACTERS = 1_000
# A second script that holds so much of a text makes it a text of two languages.
MIXED_SHARE = 0.3
# A Chinese, Japanese or Korean character says what some three letters say.
LETTERS_OF_A_CHARACTER = 3

_MASK = re.compile(r"\[(?:mail|number)\]")
_LATIN = re.compile(r"[^\W\d_\u0250-\U0010ffff]")
_IDEOGRAPH = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class Language:
    """ISO 639-1 code, None where it is not sure, and the confidence, 0 to 1."""

    code: str | None
    confidence: float


NOTHING = Language(None, 0.0)


def detect(text: str) -> Language:
    """The language of a text; none where it is short, mixed or holds no letters.

    A text is mixed where two scripts share it. Two languages of one script in one text pull the
    confidence down, and where neither has the better of it no language is given.
    """
    said = _MASK.sub(" ", cleaned(text[:MOST_CHARACTERS]))
    letters = sum(map(str.isalpha, said))
    if not letters:
        return NOTHING
    found, confidence = _identifier().classify(said)
    confidence = float(np.round(confidence, 6))
    smaller_share = 0.0 if said.isascii() else _smaller_script(said, letters)
    if smaller_share >= MIXED_SHARE:
        return Language(None, min(confidence, float(np.round(1 - smaller_share, 6)), 0.5))
    return Language(found if confidence >= LEAST_CONFIDENCE else None, confidence)


def _smaller_script(said: str, letters: int) -> float:
    """Share of the text that the rarer of Latin and other scripts holds, 0 to 0.5."""
    latin = len(_LATIN.findall(said))
    others = letters - latin + (LETTERS_OF_A_CHARACTER - 1) * len(_IDEOGRAPH.findall(said))
    return min(latin, others) / (latin + others)


@cache
def _identifier() -> Any:
    """The detector, read once in each process.

    Its file is copied out of the package first: on Snowflake that is inside a zip.
    """
    model = files("py3langid").joinpath("data", "model.npz.xz").read_bytes()
    with tempfile.NamedTemporaryFile(suffix=".npz.xz") as file:
        file.write(model)
        file.flush()
        identifier = LanguageIdentifier.from_model_file(file.name, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier


LANGUAGE_SCHEMA = pa.schema(
    [
        ("content_hash", pa.string()),
        ("language", pa.string()),
        ("language_confidence", pa.float64()),
        ("model_version", pa.string()),
        ("detected_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True)
class LanguageStep:
    """Language and confidence of texts."""

    rows_each = 1
    batch_rows = 20_000
    added = pa.schema([("language", pa.string()), ("language_confidence", pa.float64())])
    inputs = (Input(TEXT, "text"),)

    def apply(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """One row of `added` for each row."""
        found = [detect(text) for text in texts_of(rows.column(TEXT))]
        columns = [
            pa.array([language.code for language in found], pa.string()),
            pa.array([language.confidence for language in found], pa.float64()),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.added)

    def to_json(self) -> dict[str, Any]:
        """Itself as values of JSON."""
        return {"step": "language"}

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> LanguageStep:  # noqa: ARG003
        """What `to_json` wrote."""
        return cls()


def detect_languages(*, run_context: Relation, texts: Relation, past: Relation | None) -> Derived:
    """The languages of texts that were not looked at yet.

    Args:
        run_context: this run's settings.
        texts: distinct texts with content_hash and masked_text.
        past: languages of earlier builds; None on the first.

    """
    settings = read_settings(run_context)
    due = texts if past is None else texts.not_matching(past, ["content_hash"])
    part = Part(
        rows=due,
        step=LanguageStep(),
        carried={"content_hash": "content_hash"},
        constants={"model_version": DETECTOR, "detected_at": settings.run_started_at},
    )
    return Derived(LANGUAGE_SCHEMA, [part])
