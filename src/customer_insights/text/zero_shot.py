"""How much a text tells, by a transformer that was trained on inference and never on reviews.

It is asked of each category whether a text entails that the review is such a one, and what it
thinks of the categories is weighed against one another (Yin, Hay and Roth 2019, Benchmarking
Zero-shot Text Classification). Any sequence classifier will do that has a label `entailment`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from customer_insights.engine import Relation, table_of
from customer_insights.errors import EngineError
from customer_insights.metrics import Floats
from customer_insights.model import artifact_hash
from customer_insights.settings import read_settings
from customer_insights.text.cleaning import cleaned
from customer_insights.text.reading import due_texts, oldest
from customer_insights.text.sentiment import TEXT, texts_of
from customer_insights.text.transformer import BATCH_TEXTS, imported, read_transformer

HYPOTHESIS = "This review is {}."
JUDGED_SCHEMA = pa.schema(
    [
        ("content_hash", pa.string()),
        ("quality_label", pa.string()),
        ("quality_score", pa.float64()),
        ("model_version", pa.string()),
        ("scored_at", pa.timestamp("us")),
    ]
)


def judge_texts(
    *, run_context: Relation, categories: Relation, texts: Relation, past: Relation | None
) -> pa.Table:
    """Quality of texts that have none yet, the oldest first, at most `max_texts_per_run`.

    The label is that of the likeliest category, the score the mean of the categories' scores,
    weighted by their probabilities.

    Args:
        run_context: this run's settings; `text_zero_shot_directory` names the model.
        categories: what to tell apart: quality_label, category in words, quality_score.
        texts: distinct texts with content_hash, masked_text and first_created_at.
        past: quality from earlier builds; None on the first.

    Raises:
        EngineError: transformers is not installed, or the folder holds no such model.

    """
    settings = read_settings(run_context)
    due = oldest(due_texts(texts, past), settings.max_texts_per_run)
    rows = due.select("content_hash", TEXT).sorted_by("content_hash").read()
    if not rows.num_rows:
        return table_of([], JUDGED_SCHEMA)
    # The least first: that is what a text without words and a tie get.
    asked = categories.sorted_by("quality_score", "quality_label").read()
    classifier = ZeroShotClassifier(
        Path(settings.text_zero_shot_directory or ""),
        settings.text_model_device,
        asked["category"].to_pylist(),
    )
    probabilities = classifier.probabilities(texts_of(rows[TEXT]))
    return pa.table(
        [
            rows["content_hash"],
            asked["quality_label"].take(pa.array(probabilities.argmax(axis=1))),
            pa.array(probabilities @ asked["quality_score"].to_numpy()),
            pa.repeat(classifier.version, rows.num_rows),
            pa.repeat(pa.scalar(settings.run_started_at, pa.timestamp("us")), rows.num_rows),
        ],
        schema=JUDGED_SCHEMA,
    )


class ZeroShotClassifier:
    """Tells categories apart that are given in words.

    Args:
        folder: an inference model, as `read_transformer` takes it.
        device: where it runs, as `read_transformer` takes it.
        categories: two or more, each to be put into `HYPOTHESIS`.

    Raises:
        EngineError: as `read_transformer`, or no label of the model says entailment.

    """

    def __init__(self, folder: Path, device: str, categories: Sequence[str]) -> None:
        transformer = read_transformer(folder, device, "text_zero_shot_directory")
        self._categories = list(categories)
        self._pipeline = imported("transformers").pipeline(
            "zero-shot-classification",
            model=transformer.model,
            tokenizer=transformer.tokenizer,
            device=transformer.device,
        )
        if self._pipeline.entailment_id == -1:
            labels = ", ".join(transformer.model.config.label2id)
            raise EngineError(
                f"The labels of the model in text_zero_shot_directory are {labels}; one of them "
                "must be entailment: name a model of natural language inference, or set label2id "
                "in its config.json."
            )
        asked = json.dumps([HYPOTHESIS, *self._categories]).encode()
        self.version = f"{transformer.version}-{artifact_hash(asked)[:8]}"

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Probability of each category, shape (texts, categories), zeros for a text of no words."""
        said = [cleaned(text) for text in texts]
        found = np.zeros((len(said), len(self._categories)))
        # Texts of like length in one batch, so that little of it is padding.
        order = sorted((len(text), place) for place, text in enumerate(said) if text)
        places = [place for _, place in order]
        if not places:
            return found
        answers = self._pipeline(
            [said[place] for place in places],
            candidate_labels=self._categories,
            hypothesis_template=HYPOTHESIS,
            batch_size=BATCH_TEXTS,
        )
        for place, answer in zip(places, answers, strict=True):
            likely = dict(zip(answer["labels"], answer["scores"], strict=True))
            found[place] = [likely[category] for category in self._categories]
        # The pipeline's are of single precision, and add up to a little more or less than one.
        found[places] /= found[places].sum(axis=1, keepdims=True)
        return found
