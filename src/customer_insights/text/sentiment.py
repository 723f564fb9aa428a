"""Sentiment as a linear model of n-grams, learned from a shop's own stars, in whatever languages.

The stars are regressed on weighted n-grams (ridge regression, Hoerl and Kennard 1970; weights as
in Salton and Buckley 1988), because five of them say more than two classes: one star is worse than
two. What the regression gives becomes probabilities of three classes by a logistic model with one
slope a class (Platt 1999, for more than two classes), learned on later texts.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression, Ridge

import customer_insights.blas  # noqa: F401  (limits its threads)
from customer_insights.engine import Input
from customer_insights.errors import ArtifactError
from customer_insights.metrics import Floats, RankedScores
from customer_insights.model import artifact_hash
from customer_insights.text.ngrams import (
    BITS,
    CHARACTERS,
    MOST_LETTERS,
    WORDS_FROM,
    batches,
    count_ngrams,
)

# The column of the texts, wherever they stand in a table.
TEXT = "masked_text"
CLASSES = ("negative", "neutral", "positive")
# Penalties of the regression; the validation texts choose.
PENALTIES = (1.0, 3.0, 10.0)
# An n-gram of one text tells nothing about another.
LEAST_TEXTS = 2
# Enough for the regression: twice as many iterations move no score by 0.001.
TOLERANCE = 1e-4
MAX_ITERATIONS = 200
# So many neutral validation texts tell where neutral begins; with fewer nothing is called neutral.
LEAST_NEUTRAL = 20
CUT_STEPS = 64
# Log-odds of a class that no text has.
NEVER = -1e9

Stars = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.float32]

PARAMETERS: dict[str, Any] = {
    "bits": BITS,
    "characters": list(CHARACTERS),
    "cut_steps": CUT_STEPS,
    "least_neutral": LEAST_NEUTRAL,
    "least_texts": LEAST_TEXTS,
    "max_iterations": MAX_ITERATIONS,
    "most_letters": MOST_LETTERS,
    "penalties": list(PENALTIES),
    "tolerance": TOLERANCE,
}


def texts_of(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """The texts of a column; a null is an empty text."""
    return [text or "" for text in column.to_pylist()]


def classes_of(stars: Stars) -> npt.NDArray[np.intp]:
    """Place in CLASSES of each rating: up to two stars, three, four and more."""
    return np.where(stars <= 2, 0, np.where(stars >= 4, 2, 1)).astype(np.intp)


@dataclass(frozen=True)
class SentimentModel:
    """What n-grams weigh, and what the sum of their weights means.

    `frequencies` (number of training texts, 0 for an n-gram that is not used) and `weights` have
    shape (2 ** BITS,). `slopes` and `offsets` give a class's log-odds: slope * stars + offset.
    `cuts` are the scores up to which a text is negative, and from which it is positive.
    `threshold` is that of the probability of positive among the two classes.
    """

    frequencies: Counts
    weights: Weights
    texts: int
    intercept: float
    slopes: tuple[float, ...]
    offsets: tuple[float, ...]
    cuts: tuple[float, float]
    threshold: float

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The column that it reads."""
        return (Input(TEXT, "text"),)

    @property
    def rounds(self) -> None:
        """It does not boost."""

    def score(self, rows: pa.Table | pa.RecordBatch, threads: int) -> Floats:  # noqa: ARG002
        """Probability of positive among the two classes, shape (rows,); threads are not used."""
        return self.positive_scores(texts_of(rows.column(TEXT)))

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Probability of each class, shape (texts, 3); not a number where nothing is known.

        Nothing is known of a text without any n-gram that was learned from: of no words, or in
        another script.
        """
        found = [self._of_counts(count_ngrams(batch)) for batch in batches(texts)]
        return np.concatenate(found) if found else np.empty((0, len(CLASSES)))

    def scores(self, texts: Sequence[str]) -> Floats:
        """Probability of positive less that of negative, -1 to 1; not a number where unknown."""
        return self.both_scores(texts)[0]

    def positive_scores(self, texts: Sequence[str]) -> Floats:
        """Probability of positive where it is not neutral; the even chance where unknown."""
        return self.both_scores(texts)[1]

    def both_scores(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """What `scores` and `positive_scores` give, the texts read once."""
        probabilities = self.probabilities(texts)
        return _score(probabilities), np.nan_to_num(_positive_share(probabilities), nan=0.5)

    def labels(self, scores: Floats) -> list[str | None]:
        """The class of each score, None where it is not a number."""
        low, high = self.cuts
        return [
            None if np.isnan(score) else CLASSES[1 + int(score > high) - int(score < low)]
            for score in scores
        ]

    def _of_counts(self, counts: sp.csr_matrix) -> Floats:
        weighted = _weighted(counts, self.frequencies, self.texts)
        stars = np.asarray(weighted @ self.weights.astype(np.float64)) + self.intercept
        probabilities = _softmax(stars, self.slopes, self.offsets)
        probabilities[np.diff(weighted.indptr) == 0] = np.nan
        return probabilities

    def to_bytes(self) -> bytes:
        """The model as arrays of NumPy in a zip, without pickle."""
        used = self.frequencies > 0
        document = {
            "texts": self.texts,
            "intercept": self.intercept,
            "slopes": self.slopes,
            "offsets": self.offsets,
            "cuts": self.cuts,
            "threshold": self.threshold,
        }
        written = io.BytesIO()
        np.savez_compressed(
            written,
            document=np.frombuffer(json.dumps(document, sort_keys=True).encode(), np.uint8),
            used=np.packbits(used),
            frequencies=self.frequencies[used],
            weights=self.weights[used].astype(np.float16),
        )
        return written.getvalue()

    @classmethod
    def from_bytes(cls, artifact: bytes, sha256: str) -> SentimentModel:
        """Load a stored model.

        Raises:
            ArtifactError: the bytes are not those that were stored, or no such model.

        """
        if artifact_hash(artifact) != sha256:
            raise ArtifactError(
                f"The stored sentiment model with sha256 {sha256} was changed after it was "
                "written; restore its table from a backup, or delete its row to train anew."
            )
        try:
            with np.load(io.BytesIO(artifact), allow_pickle=False) as arrays:
                used = np.unpackbits(arrays["used"], count=2**BITS).astype(np.bool_)
                frequencies, weights = np.zeros(2**BITS, np.uint32), np.zeros(2**BITS, np.float32)
                frequencies[used] = arrays["frequencies"]
                weights[used] = arrays["weights"]
                document = json.loads(arrays["document"].tobytes())
        except (BadZipFile, KeyError, ValueError) as error:
            raise ArtifactError(
                f"What is stored with sha256 {sha256} is no sentiment model of this version; "
                "delete its row to train anew."
            ) from error
        return cls(
            frequencies=frequencies,
            weights=weights,
            texts=document["texts"],
            intercept=document["intercept"],
            slopes=tuple(document["slopes"]),
            offsets=tuple(document["offsets"]),
            cuts=(document["cuts"][0], document["cuts"][1]),
            threshold=document["threshold"],
        )


@dataclass(frozen=True)
class RatedTexts:
    """Texts as counts of n-grams, shape (texts, 2 ** BITS), and their stars, shape (texts,)."""

    counts: sp.csr_matrix
    stars: Stars

    @classmethod
    def of(cls, texts: Sequence[str], stars: Stars) -> RatedTexts:
        """Count the n-grams of some texts, a batch at a time."""
        return cls(_stacked([count_ngrams(batch) for batch in batches(texts)]), stars)

    def rows(self, places: npt.NDArray[np.intp] | slice) -> RatedTexts:
        """Some of the texts."""
        return RatedTexts(self.counts[places], self.stars[places])

    def followed_by(self, later: RatedTexts) -> RatedTexts:
        """These texts and others."""
        stacked = _stacked([self.counts, later.counts])
        return RatedTexts(stacked, np.concatenate([self.stars, later.stars]))


def fit_sentiment(train: RatedTexts, validation: RatedTexts) -> SentimentModel:
    """Learn the weights from both, and what they mean from `validation`.

    The penalty, the probabilities and the cuts are found on the validation texts with weights of
    the training texts alone; then the weights are learned once more from both, because texts are
    few and the newest ones are the likest to those that will come.

    Args:
        train: texts with stars of both ends.
        validation: later texts, none of which is among the former, with stars of both ends.

    """
    learned = _learned_weights(train, PENALTIES)
    predicted = [weights.predict(validation.counts) for weights in learned]
    errors = [float(np.mean((stars - validation.stars) ** 2)) for stars in predicted]
    best = int(np.argmin(errors))
    slopes, offsets = _calibrated(predicted[best], validation.stars)
    probabilities = _softmax(predicted[best], slopes, offsets)
    (final,) = _learned_weights(train.followed_by(validation), (PENALTIES[best],))
    classes = classes_of(validation.stars)
    is_told = classes != 1
    positive = RankedScores(classes[is_told] == 2, _positive_share(probabilities)[is_told])
    return SentimentModel(
        frequencies=final.frequencies,
        weights=final.weights,
        texts=final.texts,
        intercept=final.intercept,
        slopes=slopes,
        offsets=offsets,
        cuts=_best_cuts(_score(probabilities), classes),
        threshold=positive.best_f1_threshold(),
    )


@dataclass(frozen=True)
class _Regression:
    """What the regression found: stars = weighted n-grams @ weights + intercept."""

    frequencies: Counts
    weights: Weights
    texts: int
    intercept: float

    def predict(self, counts: sp.csr_matrix) -> Floats:
        weighted = _weighted(counts, self.frequencies, self.texts)
        return np.asarray(weighted @ self.weights.astype(np.float64)) + self.intercept


def _learned_weights(rated: RatedTexts, penalties: Sequence[float]) -> list[_Regression]:
    texts = rated.counts.shape[0]
    frequencies = np.bincount(rated.counts.indices, minlength=2**BITS).astype(np.uint32)
    frequencies[frequencies < LEAST_TEXTS] = 0
    used = np.flatnonzero(frequencies)
    # Without the columns that are not used the regression's vectors are short.
    matrix = _columns(_weighted(rated.counts, frequencies, texts), used)
    if not len(used):
        mean = float(np.mean(rated.stars))
        return [
            _Regression(frequencies, np.zeros(2**BITS, np.float32), texts, mean) for _ in penalties
        ]
    found = []
    for penalty in penalties:
        fitted = Ridge(
            alpha=penalty, solver="sparse_cg", tol=TOLERANCE, max_iter=MAX_ITERATIONS
        ).fit(matrix, rated.stars.astype(np.float32))
        weights = np.zeros(2**BITS, np.float32)
        # As they are stored, in half the space; it moves no score by 0.001.
        weights[used] = fitted.coef_.astype(np.float16)
        found.append(_Regression(frequencies, weights, texts, float(fitted.intercept_)))
    return found


def _weighted(counts: sp.csr_matrix, frequencies: Counts, texts: int) -> sp.csr_matrix:
    """(1 + log count) * inverse document frequency of used n-grams, each text of length one.

    N-grams of characters are many, words are few: each of the two is brought to length one first,
    so that both have a say.
    """
    kept = frequencies[counts.indices] > 0
    ends = np.concatenate([[0], np.cumsum(kept)])[counts.indptr]
    indices = counts.indices[kept]
    rarity = (np.log((1 + texts) / (1.0 + frequencies)) + 1).astype(np.float32)
    data = (1 + np.log(counts.data[kept])) * rarity[indices]
    texts_of_data = np.repeat(np.arange(counts.shape[0], dtype=np.int32), np.diff(ends))
    owners = 2 * texts_of_data + (indices >= WORDS_FROM)
    squares = np.bincount(owners, weights=data * data, minlength=2 * counts.shape[0])
    parts = np.sum(squares.reshape(-1, 2) > 0, axis=1)
    data /= np.sqrt(squares[owners] * parts[texts_of_data]).astype(np.float32)
    return sp.csr_matrix((data, indices, ends.astype(np.int32)), shape=counts.shape)


def _columns(matrix: sp.csr_matrix, used: npt.NDArray[np.intp]) -> sp.csr_matrix:
    """Only some columns, all that are not empty among them."""
    place = np.zeros(2**BITS, np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return sp.csr_matrix(
        (matrix.data, place[matrix.indices], matrix.indptr), shape=(matrix.shape[0], len(used))
    )


def _stacked(counts: Sequence[sp.csr_matrix]) -> sp.csr_matrix:
    if not counts:
        return count_ngrams([])
    return sp.vstack(counts, format="csr", dtype=np.float32)


def _calibrated(stars: Floats, ratings: Stars) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Slope and offset of each class's log-odds; a class that is not there is never likely."""
    classes = classes_of(ratings)
    # The usual penalty: without one, texts that are told apart without a mistake would be sure to
    # the last digit.
    fitted = LogisticRegression(tol=1e-8, max_iter=1000).fit(stars[:, None], classes)
    slopes, offsets = np.zeros(len(CLASSES)), np.full(len(CLASSES), NEVER)
    if len(fitted.classes_) == 2:
        slopes[fitted.classes_] = [0.0, fitted.coef_[0, 0]]
        offsets[fitted.classes_] = [0.0, fitted.intercept_[0]]
    else:
        slopes[fitted.classes_] = fitted.coef_[:, 0]
        offsets[fitted.classes_] = fitted.intercept_
    return tuple(map(float, slopes)), tuple(map(float, offsets))


def _softmax(stars: Floats, slopes: Sequence[float], offsets: Sequence[float]) -> Floats:
    odds = stars[:, None] * np.asarray(slopes) + np.asarray(offsets)
    odds = np.exp(odds - odds.max(axis=1, keepdims=True, initial=-np.inf))
    likely: Floats = odds / odds.sum(axis=1, keepdims=True)
    return likely


def _score(probabilities: Floats) -> Floats:
    return probabilities[:, 2] - probabilities[:, 0]


def _positive_share(probabilities: Floats) -> Floats:
    share: Floats = probabilities[:, 2] / (probabilities[:, 0] + probabilities[:, 2])
    return share


def _best_cuts(scores: Floats, classes: npt.NDArray[np.intp]) -> tuple[float, float]:
    """The two scores, one to each side of 0, that maximise macro-F1 of three classes."""
    if np.sum(classes == 1) < LEAST_NEUTRAL:
        return 0.0, 0.0
    steps = np.linspace(0.0, 1.0, CUT_STEPS, endpoint=False)
    # Of each class, the rows that score below each negative cut, and above each positive one.
    below = np.stack([[np.sum(scores[classes == c] < -s) for s in steps] for c in range(3)])
    above = np.stack([[np.sum(scores[classes == c] > s) for s in steps] for c in range(3)])
    rows = np.array([np.sum(classes == c) for c in range(3)])
    negative = 2 * below[0] / (below.sum(axis=0) + rows[0])
    positive = 2 * above[2] / (above.sum(axis=0) + rows[2])
    called = len(scores) - below.sum(axis=0)[:, None] - above.sum(axis=0)[None, :]
    neutral = 2 * (rows[1] - below[1][:, None] - above[1][None, :]) / (called + rows[1])
    low, high = np.unravel_index(
        int(np.argmax(negative[:, None] + positive[None, :] + neutral)), neutral.shape
    )
    return -float(steps[low]), float(steps[high])
