"""Models of the past: for each stretch of the history one that knew earlier ratings only.

The champion's ratings reach up to the present, so what it says of an old text may be what it
learned from that very text. History is therefore cut into folds by time (an expanding window;
Hyndman and Athanasopoulos, Forecasting, 3rd edition, section 5.10): the texts of a fold are scored
by a model of the ratings before the fold began. A fold begins where the number of ratings has grown
by half since the last one, so that all folds together cost three times the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer_insights.engine import Relation, table_of
from customer_insights.metrics import Labels
from customer_insights.model import artifact_hash
from customer_insights.settings import Settings, read_settings
from customer_insights.text.sentiment import RatedTexts, Stars, classes_of, fit_sentiment
from customer_insights.text.training import rated_texts

GROWTH = 1.5
# Of a fold's ratings the newest, which find the penalty and the probabilities: so many, or as many
# more as it takes to have enough of each class, up to half of them.
VALIDATION_SHARE = 0.15
MOST_VALIDATION_SHARE = 0.5

FOLD_SCHEMA = pa.schema(
    [
        ("fold_number", pa.int32()),
        ("model_version", pa.string()),
        ("trained_before_at", pa.timestamp("us")),
        ("train_rows", pa.int64()),
        ("artifact_sha256", pa.string()),
        ("artifact", pa.binary()),
    ]
)


def train_folds(
    *,
    run_context: Relation,
    trained: Relation,
    examples: Relation,
    past: Relation | None,
) -> pa.Table:
    """The models of the history, as a table of FOLD_SCHEMA to append to `past`.

    They are made once, when the first champion serves: what comes later is scored by champions,
    which did not know it either.

    Args:
        run_context: this run's settings.
        trained: the decision log.
        examples: rated texts with review_id, created_at, rating, masked_text, character_count and
            is_first_copy.
        past: the folds of earlier builds; None on the first.

    """
    settings = read_settings(run_context)
    until = _first_test_day(trained)
    if until is None or (past is not None and past.first(1).read().num_rows):
        return table_of([], FOLD_SCHEMA)
    rows = examples.sorted_by("created_at", "review_id").read()
    rows = rows.filter(pc.less(rows["created_at"], pa.scalar(until, rows["created_at"].type)))
    return table_of(_folds(rows, settings), FOLD_SCHEMA)


def _first_test_day(trained: Relation) -> datetime | None:
    """Midnight before the first champion's test rows; None where nothing serves."""
    log = (
        trained.select("decision_number", "decision", "test_from_on")
        .equal_to("decision", "trained_promoted")
        .sorted_by("decision_number")
        .read()
        .to_pylist()
    )
    return datetime.combine(log[0]["test_from_on"], time()) if log else None


def fold_starts(rows: int, least: int) -> Iterator[int]:
    """Numbers of ratings at which folds begin: `least`, then half as many again each time."""
    number = float(least)
    while number < rows:
        yield int(number)
        number *= GROWTH


@dataclass(frozen=True)
class _Window:
    """Counted texts from row `start` on."""

    start: int
    texts: RatedTexts

    @classmethod
    def empty(cls) -> _Window:
        return cls(0, RatedTexts.of([], np.empty(0)))

    @property
    def end(self) -> int:
        return self.start + len(self.texts.stars)

    def moved(self, rows: pa.Table, start: int, end: int) -> _Window:
        """The rows from `start` to before `end`, of which only the new ones are counted."""
        new = rated_texts(rows.slice(self.end, end - self.end))
        return _Window(start, self.texts.followed_by(new).rows(slice(start - self.start, None)))


def _folds(rows: pa.Table, settings: Settings) -> Iterator[dict[str, object]]:
    times = rows["created_at"].to_numpy()
    characters = np.concatenate([[0], np.cumsum(rows["character_count"].to_numpy())])
    is_first = rows["is_first_copy"].to_numpy()
    window, number, last = _Window.empty(), 0, 0
    for start in fold_starts(len(times), settings.min_rated_texts):
        # Ratings of one moment are on one side.
        end = int(np.searchsorted(times, times[start], side="left"))
        if end <= last:
            continue
        # As many texts as the champion learns from: their number and length are bounded.
        within = np.searchsorted(characters, characters[end] - settings.max_rated_characters)
        first = max(0, end - settings.max_rated_texts, int(within))
        window, last = window.moved(rows, first, end), end
        stars = window.texts.stars
        newest = _first_validation_row(stars, is_first[first:end], settings.min_class_rows)
        if newest is None or _smaller_class(stars[:newest]) < settings.min_class_rows:
            continue
        number += 1
        validation = np.flatnonzero(is_first[first + newest : end]) + newest
        artifact = fit_sentiment(
            window.texts.rows(slice(newest)), window.texts.rows(validation)
        ).to_bytes()
        sha256 = artifact_hash(artifact)
        yield {
            "fold_number": number,
            "model_version": f"fold-{number}-{sha256[:8]}",
            "trained_before_at": rows["created_at"][start].as_py(),
            "train_rows": end - first,
            "artifact_sha256": sha256,
            "artifact": artifact,
        }


def _first_validation_row(stars: Stars, is_first: Labels, least: int) -> int | None:
    """The place from which on a fold's texts validate; None where half of them are not enough."""
    classes = np.where(is_first, classes_of(stars), 1)
    newest = int(np.ceil(len(stars) * (1 - VALIDATION_SHARE)))
    for ends in (classes == 0, classes == 2):
        places = np.flatnonzero(ends)
        if len(places) < least:
            return None
        newest = min(newest, int(places[-least]))
    return newest if newest >= len(stars) * (1 - MOST_VALIDATION_SHARE) else None


def _smaller_class(stars: Stars) -> int:
    """Texts of the rarer end of the stars."""
    counts = np.bincount(classes_of(stars), minlength=3)
    return int(min(counts[0], counts[2]))
