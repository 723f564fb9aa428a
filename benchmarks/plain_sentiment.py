"""Sentiment of texts without the library: one script with scikit-learn, as one would write it.

It learns what the library learns from the same rated texts, by the same n-grams, weights, penalties
and probabilities, with scikit-learn's own vectorizer. The benchmark holds the library against it,
and checks that both give the same scores but for n-grams that share a place. It imports nothing of
the project.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import normalize

PENALTIES = (1.0, 3.0, 10.0)
LEAST_TEXTS = 2
CUT_STEPS = 64
LABELS = ("negative", "neutral", "positive")

Array = npt.NDArray[Any]
Model = Mapping[str, Any]


def clean(text: str) -> str:
    """A text in one form of Unicode, in lower case."""
    return unicodedata.normalize("NFKC", text).lower()


WITHIN_WORDS = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5)).build_analyzer()


def characters_of(text: str) -> list[str]:
    """N-grams of characters within words; unlike scikit-learn's, white space alone is none."""
    text = clean(text)
    return [*"".join(text.split()), *WITHIN_WORDS(text)]


HASHING = {
    "n_features": 2**20,
    "alternate_sign": False,
    "norm": None,
    "dtype": np.float32,
}
VECTORIZERS = (
    HashingVectorizer(analyzer=characters_of, **HASHING),
    HashingVectorizer(
        analyzer="word",
        preprocessor=clean,
        ngram_range=(1, 2),
        token_pattern=r"(?<![^\W_])(?<!')(?:[^\W_]|'){1,24}(?![^\W_]|')",
        **HASHING,
    ),
)


def count(texts: Sequence[str]) -> list[sp.csr_matrix]:
    """Counts of character and of word n-grams."""
    return [vectorizer.transform(texts) for vectorizer in VECTORIZERS]


def weigh(counts: Sequence[sp.csr_matrix], model: Model) -> sp.csr_matrix:
    """TF-IDF of the n-grams in use, each kind of length one, then each text."""
    parts = []
    for kind, part in enumerate(counts):
        used = part[:, model[f"used_{kind}"]]
        used.data = 1 + np.log(used.data)
        parts.append(normalize(used @ sp.diags(model[f"idf_{kind}"])))
    return normalize(sp.hstack(parts, format="csr"))


def learn(
    counts: Sequence[sp.csr_matrix], stars: Array, penalties: Sequence[float]
) -> list[dict[str, Any]]:
    """A regression of the stars for each penalty."""
    weights: dict[str, Any] = {}
    for kind, part in enumerate(counts):
        frequency = np.bincount(part.indices, minlength=part.shape[1])
        used = np.flatnonzero(frequency >= LEAST_TEXTS)
        weights[f"used_{kind}"] = used
        idf = np.log((1 + len(stars)) / (1 + frequency[used])) + 1
        weights[f"idf_{kind}"] = idf.astype(np.float32)
    matrix = weigh(counts, weights)
    models = []
    for penalty in penalties:
        ridge = Ridge(alpha=penalty, solver="sparse_cg", tol=1e-4, max_iter=200)
        ridge.fit(matrix, stars.astype(np.float32))
        models.append(weights | {"coefficients": ridge.coef_, "intercept": ridge.intercept_})
    return models


def predict(counts: Sequence[sp.csr_matrix], model: Model) -> Array:
    """Stars of texts; not a number where no n-gram is known."""
    matrix = weigh(counts, model)
    stars: Array = matrix @ model["coefficients"] + model["intercept"]
    return np.where(np.diff(matrix.indptr) > 0, stars, np.nan)


def find_cuts(scores: Array, classes: Array) -> tuple[float, float]:
    """Scores below which a text is negative and above which it is positive, by macro-F1."""
    steps = np.linspace(0, 1, CUT_STEPS, endpoint=False)
    best, cuts = -1.0, (0.0, 0.0)
    is_class = [classes == number for number in range(3)]
    rows = [np.sum(one) for one in is_class]
    for low in steps:
        is_negative = scores < -low
        negative = 2 * np.sum(is_negative & is_class[0]) / (np.sum(is_negative) + rows[0])
        for high in steps:
            is_positive = scores > high
            is_neutral = ~is_negative & ~is_positive
            f1 = negative
            f1 += 2 * np.sum(is_positive & is_class[2]) / (np.sum(is_positive) + rows[2])
            f1 += 2 * np.sum(is_neutral & is_class[1]) / (np.sum(is_neutral) + rows[1])
            if f1 > best:
                best, cuts = f1, (-low, high)
    return cuts


def score(stars: Array, model: Model) -> Array:
    """Probability of positive less that of negative."""
    odds = np.outer(stars, model["slopes"]) + model["offsets"]
    odds = np.exp(odds - odds.max(axis=1, keepdims=True))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    scores: Array = probabilities[:, 2] - probabilities[:, 0]
    return scores


def train(database: Path, model_file: Path) -> None:
    """Learn from the rated texts; the last of them choose the penalty and the probabilities."""
    with duckdb.connect(str(database), read_only=True) as con:
        rows = con.table("benchmark.rated_texts").to_arrow_table()
    stars = rows["rating"].to_numpy().astype(float)
    is_validation = rows["is_validation"].to_numpy()
    counts = count(rows["masked_text"].to_pylist())
    earlier = [part[~is_validation] for part in counts]
    later = [part[is_validation] for part in counts]
    models = learn(earlier, stars[~is_validation], PENALTIES)
    predicted = [predict(later, model) for model in models]
    best = int(np.argmin([np.mean((one - stars[is_validation]) ** 2) for one in predicted]))
    classes = np.digitize(stars[is_validation], (2.5, 3.5))
    calibrated = LogisticRegression(tol=1e-8, max_iter=1000).fit(predicted[best][:, None], classes)
    (model,) = learn(counts, stars, PENALTIES[best : best + 1])
    model |= {"slopes": calibrated.coef_[:, 0], "offsets": calibrated.intercept_}
    model["cuts"] = find_cuts(score(predicted[best], model), classes)
    np.savez(model_file, **model)


def score_all(database: Path, model_file: Path, table: str, out: Path) -> None:
    """Score the texts of a table; hash, score and label of each go to a new database."""
    with duckdb.connect(str(database), read_only=True) as con:
        rows = con.sql(f"select content_hash, masked_text from benchmark.{table}").to_arrow_table()
    with np.load(model_file) as stored:
        model = {name: stored[name] for name in stored.files}
    scores = score(predict(count(rows["masked_text"].to_pylist()), model), model)
    low, high = model["cuts"]
    labels = np.where(scores < low, LABELS[0], np.where(scores > high, LABELS[2], LABELS[1]))
    scored = pa.table(  # noqa: F841  (DuckDB reads it)
        {
            "content_hash": rows["content_hash"],
            "score": pa.array(scores, from_pandas=True),
            "label": pa.array(labels, mask=np.isnan(scores)),
        }
    )
    out.unlink(missing_ok=True)
    with duckdb.connect(str(out)) as con:
        con.execute("create table scores as select * from scored")


def main() -> None:
    """Train, or score."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("train", "score"):
        command = commands.add_parser(name)
        command.add_argument("database", type=Path)
        command.add_argument("model", type=Path)
        if name == "score":
            command.add_argument("table")
            command.add_argument("out", type=Path)
    given = parser.parse_args()
    if given.command == "train":
        train(given.database, given.model)
    else:
        score_all(given.database, given.model, given.table, given.out)


if __name__ == "__main__":
    main()
