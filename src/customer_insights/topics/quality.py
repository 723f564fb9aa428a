"""How good topics are: whether their terms belong together, and whether they differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from customer_insights.fingerprint import round_to_significant

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

TOP_TERMS = 10
# How much a term's weight in the topic counts beside how much of the term is in it.
RELEVANCE = 0.8
# As gensim's coherence: the logarithm of no common text at all.
_TINY = 1e-12


def relevance(weights: Floats) -> Floats:
    """How well each term stands for each topic, each topic's adding up to 1, shape (topics, terms).

    The term's weight, less where it weighs in other topics, too (Sievert, Shirley 2014, "LDAvis: a
    method for visualizing and interpreting topics", with lambda `RELEVANCE`): by weight alone, the
    words of the whole shop would stand in all topics.
    """
    everywhere = weights.sum(axis=0, keepdims=True)
    share = np.divide(weights, everywhere, out=np.zeros_like(weights), where=everywhere > 0)
    relevant = weights * share ** (1.0 - RELEVANCE)
    total = relevant.sum(axis=1, keepdims=True)
    return round_to_significant(relevant / np.where(total > 0, total, 1.0))


def top_terms(weights: Floats, terms: int = TOP_TERMS) -> list[Places]:
    """Columns of each topic's most relevant terms, in order; ties in the order of the columns.

    Args:
        weights: of terms in topics, shape (topics, terms).
        terms: how many at most; a term of no weight is not one of them.

    """
    relevant = relevance(weights)
    ordered = [np.argsort(-row, kind="stable")[:terms].astype(np.int64) for row in relevant]
    return [columns[row[columns] > 0] for columns, row in zip(ordered, relevant, strict=True)]


def coherence_npmi(tops: Sequence[Places], counts: sp.csr_matrix) -> Floats:
    """Mean normalised pointwise mutual information of a topic's pairs of terms, shape (topics,).

    From -1, never together, over 0, as if by chance, to 1, always together (Bouma 2009; Röder,
    Both, Hinneburg 2015, "Exploring the space of topic coherence measures"). The window is the
    whole text. NaN for a topic of fewer than two terms.

    Args:
        tops: columns of each topic's terms.
        counts: shape (texts, terms).

    """
    is_in = (counts > 0).astype(np.float64).tocsc()
    found = np.full(len(tops), np.nan)
    for topic, columns in enumerate(tops):
        if len(columns) < 2:
            continue
        part = is_in[:, columns]
        joint = (part.T @ part).toarray() / counts.shape[0]
        alone = np.diag(joint)
        rows, others = np.triu_indices(len(columns), k=1)
        both = joint[rows, others] + _TINY
        found[topic] = np.mean(np.log(both / (alone[rows] * alone[others])) / -np.log(both))
    return found


def diversity(tops: Sequence[Places]) -> float:
    """Share of all topics' terms that are different ones (Dieng, Ruiz, Blei 2020); NaN for none."""
    listed = np.concatenate([*tops, np.empty(0, np.int64)])
    return len(np.unique(listed)) / len(listed) if len(listed) else float("nan")
