"""Topics as weights of terms: how they are found, kept apart, found again and stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import NMF

import customer_insights.blas  # noqa: F401  (limits its threads)
from customer_insights.errors import ArtifactError
from customer_insights.fingerprint import round_to_significant
from customer_insights.model import artifact_hash
from customer_insights.topics.terms import count_known

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int32]

# The topic of a text that holds no term of any topic. It is there from the start and never matched.
NO_TOPIC = 0
# Topics of two trainings are the same where the cosine of their terms' weights is at least this.
SAME_TOPIC_COSINE = 0.5
MAX_ITERATIONS = 1000
# Relative change of the loss at which a factorisation has arrived.
TOLERANCE = 1e-4
ASSIGN_ITERATIONS = 100
# Shares are rounded before the largest is taken: engines differ in the last bits.
SHARE_DIGITS = 9


@dataclass(frozen=True)
class TopicModel:
    """Topics over a vocabulary.

    Attributes:
        terms: the vocabulary, alphabetical.
        idf: inverse document frequency of each term, shape (terms,).
        weights: of terms in topics, each topic's adding up to 1, shape (topics, terms).
        topic_ids: of each topic, 1 or more; an id is never given to another topic.
        languages: of each topic, the language whose texts it was found in; empty where they were
            not told apart.
        first_seen_on: of each topic, the day of the newest text when it was first found.
        coherence: NPMI of each topic's top terms in the texts it was found in, NaN where undefined.
        next_topic_id: what the next new topic is called.
        seen: the first 32 bits of the hash of every text it knew, ascending.

    """

    terms: tuple[str, ...]
    idf: Floats
    weights: Floats
    topic_ids: Ids
    languages: tuple[str, ...]
    first_seen_on: tuple[date, ...]
    coherence: Floats
    next_topic_id: int
    seen: npt.NDArray[np.uint32]

    def assign(self, texts: Sequence[str]) -> tuple[Ids, Floats]:
        """The topic of each text and its share of the text's terms, both of shape (texts,).

        Each text is for itself: its topic does not depend on which others are assigned with it.
        A text without any term of a topic has NO_TOPIC, and the share NaN.
        """
        shares = shares_of(weigh(count_known(texts, self.terms), self.idf), self.weights)
        has_topic = shares.sum(axis=1) > 0
        best = shares.argmax(axis=1)
        topic = np.where(has_topic, self.topic_ids[best], NO_TOPIC).astype(np.int32)
        share = np.where(has_topic, shares[np.arange(len(texts)), best], np.nan)
        return topic, share

    def places_of(self, language: str) -> list[int]:
        """The rows of a language's topics."""
        return [place for place, name in enumerate(self.languages) if name == language]

    def to_bytes(self) -> bytes:
        """One line of JSON, then the arrays, little-endian, in the order it states."""
        arrays = {
            "idf": self.idf.astype("<f8"),
            "weights": self.weights.astype("<f8"),
            "topic_ids": self.topic_ids.astype("<i4"),
            "coherence": self.coherence.astype("<f8"),
            "seen": self.seen.astype("<u4"),
        }
        head = {
            "terms": self.terms,
            "languages": self.languages,
            "first_seen_on": [day.isoformat() for day in self.first_seen_on],
            "next_topic_id": self.next_topic_id,
            "arrays": [[name, a.dtype.str, a.shape] for name, a in arrays.items()],
        }
        line = json.dumps(head, ensure_ascii=False).encode() + b"\n"
        return line + b"".join(array.tobytes() for array in arrays.values())

    @classmethod
    def from_bytes(cls, artifact: bytes, sha256: str) -> TopicModel:
        """Load stored topics.

        Raises:
            ArtifactError: the bytes are not those that were stored.

        """
        if artifact_hash(artifact) != sha256:
            raise ArtifactError(
                f"The stored topics with sha256 {sha256} were changed after they were written; "
                "restore the table topics_trained from a backup, or delete its row to train anew."
            )
        line, _, rest = artifact.partition(b"\n")
        head = json.loads(line)
        arrays, at = {}, 0
        for name, kind, shape in head["arrays"]:
            count = int(np.prod(shape))
            array = np.frombuffer(rest, np.dtype(kind), count, at)
            arrays[name] = array.reshape(shape)
            at += array.nbytes
        return cls(
            terms=tuple(head["terms"]),
            languages=tuple(head["languages"]),
            first_seen_on=tuple(date.fromisoformat(day) for day in head["first_seen_on"]),
            next_topic_id=head["next_topic_id"],
            **arrays,
        )


def weigh(counts: sp.csr_matrix, idf: Floats) -> sp.csr_matrix:
    """TF-IDF with logarithmic term frequency, each text of length 1, shape (texts, terms).

    Manning, Raghavan, Schütze 2008, "Introduction to information retrieval", chapter 6.4.
    """
    weighed = counts.copy()
    weighed.data = 1.0 + np.log(weighed.data)
    weighed = weighed @ sp.diags(idf)
    length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    return (sp.diags(1.0 / np.where(length > 0, length, 1.0)) @ weighed).tocsr()


def inverse_document_frequency(counts: sp.csr_matrix) -> Floats:
    """Smoothed as scikit-learn's TfidfTransformer does, shape (terms,)."""
    texts_with = np.asarray((counts > 0).sum(axis=0)).ravel()
    idf: Floats = np.log((1.0 + counts.shape[0]) / (1.0 + texts_with)) + 1.0
    return idf


def find_topics(
    weighed: sp.csr_matrix, topics: int, seed: int | None, start: Floats | None = None
) -> Floats:
    """Weights of terms in topics by non-negative matrix factorisation, shape (topics, terms).

    Lee, Seung 1999; https://scikit-learn.org/stable/modules/decomposition.html#nmf. Rows must be in
    key order: sums are made in it.

    Args:
        weighed: shape (texts, terms).
        topics: how many to find.
        seed: of a random start; none: start from singular vectors (Boutsidis, Gallopoulos 2008).
        start: weights to start from instead.

    """
    fitted = NMF(
        topics,
        init="custom" if start is not None else "nndsvda" if seed is None else "random",
        random_state=seed or 0,
        max_iter=MAX_ITERATIONS,
        tol=TOLERANCE,
    )
    if start is None:
        fitted.fit(weighed)
    else:
        fitted.fit_transform(weighed, W=_start_of(weighed, start), H=start.copy())
    weights: Floats = fitted.components_
    totals = weights.sum(axis=1, keepdims=True)
    return round_to_significant(weights / np.where(totals > 0, totals, 1.0))


def _start_of(weighed: sp.csr_matrix, weights: Floats) -> Floats:
    """How much of each topic is in each text, to start a factorisation from."""
    return np.ascontiguousarray(_loadings(weighed, weights)) + 1e-6


def _loadings(weighed: sp.csr_matrix, weights: Floats) -> Floats:
    """How much of each topic is in each text, with the topics fixed, shape (texts, topics).

    Multiplicative updates (Lee, Seung 2001) in a fixed number: unlike those of scikit-learn's
    `transform`, which stop when the whole batch is near, they treat each text for itself.
    """
    numerator = np.asarray(weighed @ weights.T)
    gram = weights @ weights.T
    loadings = numerator.copy()
    for _ in range(ASSIGN_ITERATIONS):
        fitted = loadings @ gram
        loadings *= np.divide(numerator, fitted, out=np.zeros_like(fitted), where=fitted > 0)
    return loadings


def shares_of(weighed: sp.csr_matrix, weights: Floats) -> Floats:
    """Share of each topic in each text, shape (texts, topics); a text without any has zeros.

    A topic counts by the length of what it explains of the text, as the fit does. By the sum of its
    terms' weights a topic of many rare terms would take half of all texts.
    """
    loadings = _loadings(weighed, weights) * np.linalg.norm(weights, axis=1)
    total = loadings.sum(axis=1, keepdims=True)
    shares: Floats = np.round(loadings / np.where(total > 0, total, 1.0), SHARE_DIGITS)
    return shares


def carried_over(model: TopicModel, language: str, terms: Sequence[str]) -> Floats:
    """The weights of a language's topics over another vocabulary, shape (topics, terms).

    A new term starts with a tenth of the mean weight: from zero, factors never move.
    """
    places = {term: place for place, term in enumerate(model.terms)}
    weights = model.weights[model.places_of(language)]
    start = np.full((len(weights), len(terms)), 0.1 / max(len(terms), 1))
    for column, term in enumerate(terms):
        if term in places:
            start[:, column] = weights[:, places[term]]
    return start


def blended(start: Floats, moved: Floats, share: float) -> Floats:
    """Topics that went a share of the way from where they were, each's weights adding up to 1."""
    totals = start.sum(axis=1, keepdims=True)
    return round_to_significant((1.0 - share) * start / totals + share * moved)


def match_topics(weights: Floats, past: Floats) -> dict[int, int]:
    """Which topic is which past one: row of `weights` to row of `past`, over the same terms.

    The pairs with the greatest sum of cosines (Kuhn 1955), less those that are too unlike.
    """
    likeness = _unit(weights) @ _unit(past).T
    rows, others = linear_sum_assignment(-np.round(likeness, SHARE_DIGITS))
    return {
        int(row): int(other)
        for row, other in zip(rows, others, strict=True)
        if likeness[row, other] >= SAME_TOPIC_COSINE
    }


def _unit(weights: Floats) -> Floats:
    length = np.linalg.norm(weights, axis=1, keepdims=True)
    unit: Floats = weights / np.where(length > 0, length, 1.0)
    return unit
