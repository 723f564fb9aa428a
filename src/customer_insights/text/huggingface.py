"""Sentiment by a transformer that lies in a folder of this machine.

Any sequence classifier will do whose labels say what they mean: stars (`1 star` ... `5 stars`) or
the words negative, neutral and positive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from customer_insights.engine import Relation, table_of
from customer_insights.errors import EngineError
from customer_insights.metrics import Floats
from customer_insights.settings import read_settings
from customer_insights.text.cleaning import cleaned
from customer_insights.text.reading import due_texts, oldest
from customer_insights.text.sentiment import CLASSES, TEXT, texts_of
from customer_insights.text.transformer import BATCH_TEXTS, imported, read_transformer

CLASSIFIED_SCHEMA = pa.schema(
    [
        ("content_hash", pa.string()),
        ("sentiment_label", pa.string()),
        ("sentiment_score", pa.float64()),
        ("model_version", pa.string()),
        ("scored_at", pa.timestamp("us")),
    ]
)

_STARS = re.compile(r"([1-5])[ _]*stars?", re.IGNORECASE)
_WORDS = (("neg", 0), ("neu", 1), ("pos", 2))


def classify_texts(*, run_context: Relation, texts: Relation, past: Relation | None) -> pa.Table:
    """Sentiment of texts that have none yet, the oldest first, at most `max_texts_per_run`.

    Args:
        run_context: this run's settings; `text_model_directory` names the model.
        texts: distinct texts with content_hash, masked_text and first_created_at.
        past: sentiment of earlier builds; None on the first.

    Raises:
        EngineError: transformers is not installed, or the folder holds no such model.

    """
    settings = read_settings(run_context)
    due = oldest(due_texts(texts, past), settings.max_texts_per_run)
    rows = due.select("content_hash", TEXT).sorted_by("content_hash").read()
    if not rows.num_rows:
        return table_of([], CLASSIFIED_SCHEMA)
    classifier = Classifier(Path(settings.text_model_directory or ""), settings.text_model_device)
    probabilities = classifier.probabilities(texts_of(rows[TEXT]))
    return pa.table(
        [
            rows["content_hash"],
            pa.array([CLASSES[place] for place in probabilities.argmax(axis=1)], pa.string()),
            pa.array(probabilities[:, 2] - probabilities[:, 0]),
            pa.repeat(classifier.version, rows.num_rows),
            pa.repeat(pa.scalar(settings.run_started_at, pa.timestamp("us")), rows.num_rows),
        ],
        schema=CLASSIFIED_SCHEMA,
    )


class Classifier:
    """Tells negative, neutral and positive texts apart.

    Args:
        folder: a sequence classifier, as `read_transformer` takes it.
        device: where it runs, as `read_transformer` takes it.

    Raises:
        EngineError: as `read_transformer`, or the model's labels say no sentiment.

    """

    def __init__(self, folder: Path, device: str) -> None:
        self._transformer = read_transformer(folder, device, "text_model_directory")
        self._classes = classes_of_labels(self._transformer.model.config.id2label)
        self.version = self._transformer.version

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Probability of each class, shape (texts, 3); a class without a label is 0."""
        said = [cleaned(text) for text in texts]
        # Texts of like length in one batch, so that little of it is padding.
        order = sorted(range(len(said)), key=lambda place: (len(said[place]), place))
        found = np.zeros((len(said), len(CLASSES)))
        for start in range(0, len(order), BATCH_TEXTS):
            places = order[start : start + BATCH_TEXTS]
            found[places] = self._batch([said[place] for place in places]) @ self._classes
        return found

    def _batch(self, texts: Sequence[str]) -> Floats:
        torch, transformer = imported("torch"), self._transformer
        encoded = transformer.tokenizer(
            list(texts), padding=True, truncation=True, return_tensors="pt"
        ).to(transformer.device)
        with torch.inference_mode():
            logits = transformer.model(**encoded).logits
        # On the CPU: not every device knows double precision.
        likely = torch.softmax(logits.cpu().double(), dim=-1)
        return np.asarray(likely.numpy(), dtype=np.float64)


def classes_of_labels(labels: Mapping[int, str]) -> npt.NDArray[np.float64]:
    """Which class each label of a model belongs to, shape (labels, 3).

    Raises:
        EngineError: a label says neither stars nor negative, neutral or positive.

    """
    belongs = np.zeros((len(labels), len(CLASSES)))
    for place, label in labels.items():
        belongs[int(place), _class_of_label(label, labels)] = 1.0
    return belongs


def _class_of_label(label: str, labels: Mapping[int, str]) -> int:
    stars = _STARS.fullmatch(label.strip())
    if stars:
        number = int(stars[1])
        return 0 if number <= 2 else 1 if number == 3 else 2
    for word, place in _WORDS:
        if label.strip().lower().startswith(word):
            return place
    raise EngineError(
        f"The model's labels are {', '.join(labels.values())}; they must be stars (1 star ... 5 "
        "stars) or negative, neutral and positive: set id2label in its config.json."
    )
