"""Sentiment by a transformer that lies in a folder of this machine; nothing is downloaded.

Any sequence classifier will do whose labels say what they mean: stars (`1 star` ... `5 stars`) or
the words negative, neutral and positive. Needs the extra `huggingface` (transformers and torch).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from customer_insights.engine import Relation, table_of
from customer_insights.errors import EngineError
from customer_insights.metrics import Floats
from customer_insights.settings import read_settings
from customer_insights.text.cleaning import cleaned
from customer_insights.text.sentiment import CLASSES, TEXT, texts_of

BATCH_TEXTS = 32
# What nearly all such models were trained with; a longer text is cut.
MOST_TOKENS = 512
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
    due = texts if past is None else texts.not_matching(past, ["content_hash"])
    due = due.sorted_by("first_created_at", "content_hash").first(settings.max_texts_per_run)
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
    """A sequence classifier read from a folder.

    Args:
        folder: what `save_pretrained` wrote: configuration, tokenizer, weights as safetensors.
        device: where it runs, `cpu`, `cuda`, `cuda:1`, `mps`, or `auto` for the best there is.

    Raises:
        EngineError: transformers is not installed, or the folder holds no such model.

    """

    def __init__(self, folder: Path, device: str) -> None:
        if not (folder / "config.json").is_file():
            raise EngineError(
                f"text_model_directory is '{folder}', which holds no config.json; name a folder "
                "that a transformer was saved to (save_pretrained)."
            )
        transformers, self._torch = _imported("transformers"), _imported("torch")
        try:
            # Only safetensors: other weights are pickles, which can run code.
            self._model = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError) as error:
            raise EngineError(
                f"The folder '{folder}' of text_model_directory holds no sequence classifier with "
                f"tokenizer and safetensors: {str(error).splitlines()[0]}"
            ) from error
        self._classes = classes_of_labels(self._model.config.id2label)
        self._device = self._best_device() if device == "auto" else device
        try:
            self._model.to(self._device).eval()
        except (RuntimeError, AssertionError) as error:
            raise EngineError(
                f"text_model_device is '{device}', which this machine has not; set it to auto."
            ) from error
        self.version = f"{folder.name}-{_files_hash(folder)[:8]}"

    def _best_device(self) -> str:
        if self._torch.cuda.is_available():
            return "cuda"
        return "mps" if self._torch.backends.mps.is_available() else "cpu"

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
        encoded = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=min(MOST_TOKENS, self._tokenizer.model_max_length),
            return_tensors="pt",
        ).to(self._device)
        with self._torch.inference_mode():
            logits = self._model(**encoded).logits
        likely = self._torch.softmax(logits.double(), dim=-1)
        return np.asarray(likely.cpu().numpy(), dtype=np.float64)


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


def _files_hash(folder: Path) -> str:
    """SHA-256 of the model's files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in {".json", ".safetensors", ".txt", ".model"}:
            digest.update(path.name.encode())
            for block in _blocks(path):
                digest.update(block)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"text_engine is huggingface, and {name} is not installed; run `pip install -c "
            "constraints.txt -e '.[local,huggingface]'`, or set text_engine to embedded."
        ) from error
