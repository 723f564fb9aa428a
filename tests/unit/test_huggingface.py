"""A transformer from a folder: its labels are understood, its answers stored, no pickle is read.

The model is made here, tiny and with weights that tell `good` from `bad`. What needs transformers
is skipped where that is not installed (the extra `huggingface`).
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from tiny_models import save_tiny_model

from customer_insights.errors import EngineError
from customer_insights.text.huggingface import (
    CLASSIFIED_SCHEMA,
    Classifier,
    classes_of_labels,
    classify_texts,
)

if TYPE_CHECKING:
    from conftest import Shop


def tiny_model(folder: Path, labels: dict[int, str], **saving: Any) -> Path:
    """A model that has learned three words by heart."""
    last = len(labels) - 1
    learned: dict[tuple[str, ...], int] = {("good",): last, ("bad",): 0, ("fine",): last // 2}
    return save_tiny_model(folder, labels, learned, **saving)


STARS = {0: "1 star", 1: "2 stars", 2: "3 stars", 3: "4 stars", 4: "5 stars"}


def classified(shop: Shop, folder: Path, *texts: str, past: pa.Table | None = None) -> pa.Table:
    rows = pa.table(
        {
            "content_hash": [f"h-{text[:20]}" for text in texts],
            "masked_text": list(texts),
            "first_created_at": [datetime(2024, 1, 1 + place) for place in range(len(texts))],
        }
    )
    return classify_texts(
        run_context=shop.run_context(text_model_directory=str(folder), max_texts_per_run=4),
        texts=shop.relate(rows),
        past=None if past is None else shop.relate(past),
    )


def test_texts_are_classified_once_the_oldest_first(shop: Shop, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "stars", STARS)
    texts = ["good", "bad", "fine", "good good", "bad bad"]
    first = classified(shop, folder, *texts)
    assert first.schema == CLASSIFIED_SCHEMA
    found = {row["content_hash"]: row for row in first.to_pylist()}
    assert set(found) == {"h-good", "h-bad", "h-fine", "h-good good"}
    assert [found[f"h-{text}"]["sentiment_label"] for text in texts[:3]] == [
        "positive",
        "negative",
        "neutral",
    ]
    assert found["h-bad"]["sentiment_score"] < -0.5 < 0.5 < found["h-good"]["sentiment_score"]
    assert found["h-good"]["model_version"].startswith("stars-")
    rest = classified(shop, folder, *texts, past=first)
    assert rest["content_hash"].to_pylist() == ["h-bad bad"]
    everything = pa.concat_tables([first, rest])
    assert classified(shop, folder, *texts, past=everything).num_rows == 0


def test_strange_texts_have_an_answer_too_and_batches_change_none(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "words", {0: "NEGATIVE", 1: "POSITIVE"})
    classifier = Classifier(folder, "auto")
    texts = ["", "'; drop table x; --", "{{ config() }}", "good " * 20_000, *["bad", "good"] * 40]
    together = classifier.probabilities(texts)
    assert np.allclose(together.sum(axis=1), 1)
    assert np.allclose(together[:, 1], 0)
    alone = np.concatenate([classifier.probabilities([text]) for text in texts[:6]])
    assert np.allclose(together[:6], alone, rtol=0, atol=1e-12)


def test_other_weights_than_safetensors_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra huggingface is not installed")
    folder = tiny_model(tmp_path / "pickled", STARS)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(EngineError, match="safetensors"):
        Classifier(folder, "cpu")


def test_a_device_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "stars", STARS)
    with pytest.raises(EngineError, match="text_model_device is 'cuda:7'"):
        Classifier(folder, "cuda:7")


@pytest.mark.parametrize(
    ("name", "written"),
    [("model.safetensors", "no weights"), ("tokenizer.json", "{}"), ("config.json", "{}")],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, name: str, written: str) -> None:
    folder = tiny_model(tmp_path / "broken", STARS)
    (folder / name).write_text(written, encoding="utf-8")
    with pytest.raises(EngineError, match="text_model_directory holds no sequence classifier"):
        Classifier(folder, "cpu")


def test_nothing_that_is_missing_is_made_up(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "stars", STARS)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).unlink()
    with pytest.raises(EngineError, match="no file of a tokenizer"):
        Classifier(folder, "cpu")
    folder = tiny_model(tmp_path / "headless", STARS)
    config = (folder / "config.json").read_bytes()
    transformers = pytest.importorskip("transformers")
    transformers.BertModel.from_pretrained(folder).save_pretrained(folder)
    (folder / "config.json").write_bytes(config)
    with pytest.raises(EngineError, match=r"no weights of classifier\.bias, classifier\.weight"):
        Classifier(folder, "cpu")


def test_labels_are_stars_or_words() -> None:
    assert classes_of_labels(STARS).argmax(axis=1).tolist() == [0, 0, 1, 2, 2]
    words = {0: "Neutral", 1: "neg", 2: "POSITIVE"}
    assert classes_of_labels(words).argmax(axis=1).tolist() == [1, 0, 2]
    with pytest.raises(EngineError, match="LABEL_0, LABEL_1; they must be stars"):
        classes_of_labels({0: "LABEL_0", 1: "LABEL_1"})


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"holds no config\.json"):
        Classifier(tmp_path, "cpu")


def test_without_transformers_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({}), encoding="utf-8")
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(EngineError, match="transformers is not installed"):
        Classifier(tmp_path, "cpu")
