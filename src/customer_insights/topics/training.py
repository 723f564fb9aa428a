"""Decide whether to look for topics, find them, and give them the ids that they had before.

One build appends one row to the log of decisions. A row says what was decided and why, how good the
topics are, how many texts kept theirs, and holds the topics themselves.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy
import scipy.sparse as sp
import sklearn

from customer_insights import __version__
from customer_insights.engine import Relation, table_of
from customer_insights.model import artifact_hash
from customer_insights.topics.model import (
    NO_TOPIC,
    Floats,
    TopicModel,
    blended,
    carried_over,
    find_topics,
    inverse_document_frequency,
    match_topics,
    weigh,
)
from customer_insights.topics.quality import TOP_TERMS, coherence_npmi, diversity, top_terms
from customer_insights.topics.settings import TopicSettings, read_topic_settings
from customer_insights.topics.terms import Flags, StopWords, choose_terms, count_terms

# Numbers of topics that are tried, from the smallest to the largest allowed.
CANDIDATES = 5
# Random starts of each number, beside that from singular vectors: where a factorisation ends
# depends on where it begins.
RANDOM_STARTS = 2

_text, _count, _real = pa.string(), pa.int64(), pa.float64()

RUN_SCHEMA = pa.schema(
    [
        ("topic_run_id", _text),
        ("decision_number", pa.int32()),
        ("model_version", _text),
        ("decided_at", pa.timestamp("us")),
        ("decision", _text),
        ("reason", _text),
        ("text_count", _count),
        ("new_text_count", _count),
        ("trained_text_count", _count),
        ("no_term_text_count", _count),
        ("term_count", _count),
        ("topic_count", _count),
        ("new_topic_count", _count),
        ("coherence_npmi", _real),
        ("diversity", _real),
        ("stability", _real),
        ("stability_text_count", _count),
        ("candidates", _text),
        ("parameters", _text),
        ("texts_hash", _text),
        ("library_versions", _text),
        ("artifact_sha256", _text),
        ("artifact", pa.binary()),
    ]
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Texts:
    """Different texts in the order of their hashes, and who wrote them.

    Attributes:
        texts: as they are read, masked.
        hashes: the first 32 bits of each text's hash.
        writers: which customer wrote which text, shape (customers, texts).
        newest_on: the day of the newest review.

    """

    texts: tuple[str, ...]
    hashes: npt.NDArray[np.uint32]
    writers: sp.csr_matrix
    newest_on: date

    @classmethod
    def of(cls, reviews: pa.Table, at_most: int) -> Texts:
        """The texts of some reviews; the newest, where there are more than `at_most`.

        Args:
            reviews: content_hash, masked_text, review_id, customer_id and created_at, one row or
                more, in any order. A review without a customer counts as a customer of its own.
            at_most: texts.

        """
        rows = reviews.sort_by(
            [
                ("content_hash", "ascending"),
                ("created_at", "descending"),
                ("review_id", "ascending"),
            ]
        ).to_pylist()
        newest: dict[str, Row] = {}
        for row in rows:
            newest.setdefault(row["content_hash"], row)
        kept = sorted(newest, key=lambda key: newest[key]["created_at"], reverse=True)[:at_most]
        place = {key: number for number, key in enumerate(sorted(kept))}
        customers: dict[str, int] = {}
        pairs = [
            (
                customers.setdefault(_writer(row), len(customers)),
                place[row["content_hash"]],
            )
            for row in rows
            if row["content_hash"] in place
        ]
        writer, text = zip(*pairs, strict=True)
        return cls(
            texts=tuple(newest[key]["masked_text"] for key in place),
            hashes=short_hashes(list(place)),
            writers=sp.csr_matrix(
                (np.ones(len(pairs)), (writer, text)), shape=(len(customers), len(place))
            ),
            newest_on=max(row["created_at"] for row in rows).date(),
        )


def _writer(row: Row) -> str:
    """A name for who wrote a review; no customer's name is a review's."""
    return f"c{row['customer_id']}" if row["customer_id"] is not None else f"r{row['review_id']}"


def short_hashes(hashes: Sequence[str]) -> npt.NDArray[np.uint32]:
    """The first 32 bits of hashes in hexadecimal, shape (hashes,)."""
    return np.array([int(text[:8], 16) for text in hashes], dtype=np.uint32)


def train_topics(
    *, run_context: Relation, topic_words: Relation, texts: Relation, past: Relation | None
) -> pa.Table:
    """The decision of this build, as a table of RUN_SCHEMA to append to `past`.

    Args:
        run_context: this run's settings.
        topic_words: stop words and negations: language, word and kind.
        texts: content_hash, masked_text, review_id, customer_id and created_at of each review.
        past: the decisions of earlier builds; None on the first.

    """
    settings = read_topic_settings(run_context)
    rows = [] if past is None else read_log(past)
    words = read_stop_words(topic_words)
    return table_of([decide(texts, words, rows, settings)], RUN_SCHEMA)


def read_log(log: Relation) -> list[Row]:
    """The decisions in their order; of the stored topics only those in force are read."""
    names = [name for name in RUN_SCHEMA.names if name != "artifact"]
    rows: list[Row] = log.select(*names).sorted_by("decision_number").read().to_pylist()
    for row in rows:
        row["artifact"] = None
    trained = [row for row in rows if row["artifact_sha256"] is not None]
    if trained:
        number = trained[-1]["decision_number"]
        (stored,) = log.equal_to("decision_number", number).select("artifact").read().to_pylist()
        trained[-1]["artifact"] = stored["artifact"]
    return rows


def read_stop_words(topic_words: Relation) -> StopWords:
    """The vocabulary of words that are no topic."""
    by_language: dict[str, set[str]] = {}
    negations = set()
    for row in topic_words.select("language", "word", "kind").read().to_pylist():
        if row["kind"] == "negation":
            negations.add(row["word"])
        else:
            by_language.setdefault(row["language"], set()).add(row["word"])
    return StopWords(
        {language: frozenset(words) for language, words in by_language.items()},
        frozenset(negations),
    )


def serving_topics(past: Sequence[Row]) -> tuple[str, TopicModel] | None:
    """Version and topics in force: those found last; None where none were found yet."""
    trained = [row for row in past if row["artifact"] is not None]
    if not trained:
        return None
    newest = max(trained, key=lambda row: int(row["decision_number"]))
    return newest["model_version"], TopicModel.from_bytes(
        newest["artifact"], newest["artifact_sha256"]
    )


def decide(texts: Relation, words: StopWords, past: Sequence[Row], settings: TopicSettings) -> Row:
    """The decision of this build, as a row of RUN_SCHEMA."""
    hashes = sorted(set(texts.select("content_hash").read()["content_hash"].to_pylist()))
    serving = serving_topics(past)
    number = 1 + max((row["decision_number"] for row in past), default=0)
    row = dict.fromkeys(RUN_SCHEMA.names) | {
        "topic_run_id": f"topics-{number}",
        "decision_number": number,
        "model_version": serving[0] if serving else None,
        "decided_at": settings.run_started_at,
        "text_count": len(hashes),
        "new_text_count": len(hashes),
        "parameters": _parameters(settings, words),
        "texts_hash": hashlib.sha256("".join(hashes).encode()).hexdigest(),
        "library_versions": json.dumps(_library_versions(), sort_keys=True),
    }
    if len(hashes) < settings.topic_min_texts:
        return row | _too_few(len(hashes), settings)
    if serving:
        new = int((~np.isin(short_hashes(hashes), serving[1].seen)).sum())
        row["new_text_count"] = new
        trained = [entry for entry in past if entry["artifact"] is not None][-1]
        reason = _why_train(row, trained, settings)
        if reason is None:
            share = new / max(trained["text_count"], 1)
            return row | {
                "decision": "kept",
                "reason": f"{new} new texts are {share:.1%} of those that the topics were found "
                f"in; topic_retrain_share asks for {settings.topic_retrain_share:.0%}.",
            }
    else:
        reason = "there are no topics yet"
    return row | _train(texts, words, serving[1] if serving else None, reason, settings)


def _too_few(found: int, settings: TopicSettings) -> Row:
    return {
        "decision": "not_enough_texts",
        "reason": f"{found} different texts with terms to find topics in; topic_min_texts asks for "
        f"{settings.topic_min_texts}. Load more reviews.",
    }


def _why_train(row: Row, trained: Row, settings: TopicSettings) -> str | None:
    if row["parameters"] != trained["parameters"]:
        return "the settings or the vocabulary of topics changed"
    if row["new_text_count"] >= max(settings.topic_retrain_share * trained["text_count"], 1):
        return f"{row['new_text_count']} texts are new since topics were last found"
    return None


def _parameters(settings: TopicSettings, words: StopWords) -> str:
    """All that the topics depend on beside the texts."""
    listed = [[name, *sorted(words.by_language[name])] for name in sorted(words.by_language)]
    written = json.dumps([listed, sorted(words.negations)]).encode()
    return json.dumps(
        settings.of_topics() | {"vocabulary_sha256": hashlib.sha256(written).hexdigest()},
        sort_keys=True,
    )


def _library_versions() -> dict[str, str]:
    return {
        "customer_insights": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "scipy": scipy.__version__,
    }


def mean_coherence(coherence: Floats) -> float:
    """Mean of the topics that have a coherence; the least there is where none has."""
    known = coherence[np.isfinite(coherence)]
    return float(known.mean()) if len(known) else -1.0


@dataclass(frozen=True)
class Found:
    """Topics of one number, and how good they are."""

    weights: Floats
    coherence: Floats
    diversity: float

    @classmethod
    def of(cls, weights: Floats, counts: sp.csr_matrix) -> Found:
        """Topics by their weights, measured in the texts that they were found in."""
        tops = top_terms(weights)
        return cls(weights, coherence_npmi(tops, counts), diversity(tops))

    @property
    def mean_coherence(self) -> float:
        """Mean of the topics that have one."""
        return mean_coherence(self.coherence)

    def rank(self, min_diversity: float) -> tuple[float, float, int]:
        """What to choose by: diverse enough, then coherent, then few."""
        is_diverse = self.diversity >= min_diversity
        best = self.mean_coherence if is_diverse else self.diversity
        return float(is_diverse), round(best, 9), -len(self.weights)


def _train(
    relation: Relation,
    words: StopWords,
    serving: TopicModel | None,
    reason: str,
    settings: TopicSettings,
) -> Row:
    reviews = relation.select(
        "content_hash", "masked_text", "review_id", "customer_id", "created_at"
    ).read()
    texts = Texts.of(reviews, settings.topic_max_train_texts)
    all_counts, names = count_terms(texts.texts)
    is_chosen = choose_terms(
        all_counts, names, texts.writers, words, settings.topic_term_min_customers
    )
    terms = tuple(name for name, chosen in zip(names, is_chosen, strict=True) if chosen)
    counts = all_counts[:, np.flatnonzero(is_chosen)]
    has_term = np.asarray(counts.sum(axis=1)).ravel() > 0
    if has_term.sum() < settings.topic_min_texts or len(terms) < TOP_TERMS:
        return _too_few(int(has_term.sum()), settings)

    parts = {"": np.ones(len(texts.texts), np.bool_)}
    if settings.topics_by_language:
        parts = _by_language(all_counts, names, has_term, words, settings)
        if not parts:
            return {
                "decision": "not_enough_texts",
                "reason": "No language has enough different texts with terms; topic_min_texts asks "
                f"for {settings.topic_min_texts}. Load more reviews, or do without "
                "topics_by_language.",
            }
    idf = inverse_document_frequency(counts)
    weighed = weigh(counts, idf)
    is_known = np.isin(texts.hashes, serving.seen if serving else ())
    found: dict[str, Found] = {}
    tried: list[dict[str, Any]] = []
    for language, is_in in parts.items():
        rows = np.flatnonzero(is_in)
        start = carried_over(serving, language, terms) if serving else np.empty((0, len(terms)))
        new_share = 1.0 - float(is_known[rows].mean())
        found[language], record = _choose(counts[rows], weighed[rows], start, new_share, settings)
        tried += [{"language": language, **entry} for entry in record]
    model = _named(found, terms, idf, texts, serving, reviews)
    topic, _ = model.assign(texts.texts)
    artifact = model.to_bytes()
    sha256 = artifact_hash(artifact)
    row = {
        "decision": "trained",
        "reason": reason[0].upper() + reason[1:] + ".",
        "model_version": f"{texts.newest_on}-{sha256[:8]}",
        "trained_text_count": len(texts.texts),
        "no_term_text_count": int((topic == NO_TOPIC).sum()),
        "term_count": len(terms),
        "topic_count": len(model.topic_ids),
        "coherence_npmi": mean_coherence(model.coherence),
        "diversity": diversity(top_terms(model.weights)),
        "candidates": json.dumps(tried),
        "artifact_sha256": sha256,
        "artifact": artifact,
    }
    if serving is not None:
        row["new_topic_count"] = int((~np.isin(model.topic_ids, serving.topic_ids)).sum())
        known = [text for text, had in zip(texts.texts, is_known, strict=True) if had]
        row["stability_text_count"] = len(known)
        if known:
            row["stability"] = float((serving.assign(known)[0] == topic[is_known]).mean())
    else:
        row["new_topic_count"] = len(model.topic_ids)
    return row


def _by_language(
    counts: sp.csr_matrix,
    names: Sequence[str],
    has_term: Flags,
    words: StopWords,
    settings: TopicSettings,
) -> dict[str, Flags]:
    """Which texts are in each language that has enough of them to find topics in.

    The others have a part in no topic, but are given one by their terms.
    """
    spoken = words.language_of(counts, names)
    parts = {name: has_term & (spoken == place) for place, name in enumerate(words.languages)}
    return {name: part for name, part in parts.items() if part.sum() >= settings.topic_min_texts}


def _choose(
    counts: sp.csr_matrix,
    weighed: sp.csr_matrix,
    start: Floats,
    new_share: float,
    settings: TopicSettings,
) -> tuple[Found, list[dict[str, Any]]]:
    """The topics to take from some texts, and a record of all that were tried.

    `start` are the topics in force, which may be none. They are carried on from where they are,
    and move by the share of texts that are new, so that they stay what they are, unless others are
    more coherent by `topic_change_margin`.
    """
    seeds = [None, *(settings.random_seed + number for number in range(RANDOM_STARTS))]
    tried = [
        ("anew" if seed is None else f"seed {seed}", Found.of(weights, counts))
        for number in candidate_counts(
            settings.topic_count_min,
            settings.topic_count_max,
            int(np.sum(np.asarray(counts.sum(axis=0)) > 0)),
        )
        for seed in seeds
        for weights in [find_topics(weighed, number, seed)]
    ]
    best = max((found for _, found in tried), key=lambda f: f.rank(settings.topic_min_diversity))
    if len(start):
        moved = find_topics(weighed, len(start), None, start)
        kept = Found.of(blended(start, moved, new_share), counts)
        tried.append(("carried on", kept))
        gain = best.mean_coherence - kept.mean_coherence
        is_allowed = len(start) in range(settings.topic_count_min, settings.topic_count_max + 1)
        if gain <= settings.topic_change_margin and (is_allowed or len(start) == len(best.weights)):
            best = kept
    record = [
        {
            "topics": len(found.weights),
            "start": begun,
            "coherence_npmi": round(found.mean_coherence, 9),
            "diversity": round(found.diversity, 9),
            "is_chosen": found is best,
        }
        for begun, found in tried
    ]
    return best, record


def candidate_counts(smallest: int, largest: int, terms: int) -> list[int]:
    """Numbers of topics to try, ascending: no more than have ten terms of their own."""
    most = max(1, terms // TOP_TERMS)
    spread = np.linspace(smallest, max(smallest, largest), CANDIDATES).round().astype(int)
    return sorted({int(min(number, most)) for number in spread})


def _named(
    found: Mapping[str, Found],
    terms: tuple[str, ...],
    idf: Floats,
    texts: Texts,
    serving: TopicModel | None,
    reviews: pa.Table,
) -> TopicModel:
    """The topics found, each with the id that it had, or a new one."""
    next_id = serving.next_topic_id if serving else NO_TOPIC + 1
    ids, days, languages = [], [], []
    for language, part in found.items():
        past, same = [], {}
        if serving:
            past = serving.places_of(language)
            same = match_topics(part.weights, carried_over(serving, language, terms))
        for topic in range(len(part.weights)):
            languages.append(language)
            if serving and topic in same:
                ids.append(int(serving.topic_ids[past[same[topic]]]))
                days.append(serving.first_seen_on[past[same[topic]]])
            else:
                ids.append(next_id)
                days.append(texts.newest_on)
                next_id += 1
    # In the order of their ids, so that a tie of two shares has one winner whatever the training.
    order = np.argsort(np.array(ids), kind="stable")
    return TopicModel(
        terms=terms,
        idf=idf,
        weights=np.concatenate([part.weights for part in found.values()])[order],
        topic_ids=np.array(ids, np.int32)[order],
        first_seen_on=tuple(days[place] for place in order),
        languages=tuple(languages[place] for place in order),
        coherence=np.concatenate([part.coherence for part in found.values()])[order],
        next_topic_id=next_id,
        seen=np.unique(short_hashes(reviews["content_hash"].to_pylist())),
    )
