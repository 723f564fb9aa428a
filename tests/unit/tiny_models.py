"""Transformers of two layers that learn a few texts by heart, in a second."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def save_tiny_model(
    folder: Path,
    labels: Mapping[int, str],
    learned: Mapping[tuple[str, ...], int],
    **saving: Any,
) -> Path:
    """A BERT that gives texts, or pairs of texts, these labels; the test is skipped without torch.

    Args:
        folder: where it is saved; it knows the words of `learned` and no other.
        labels: name of each label.
        learned: place in `labels` by text, or by text and hypothesis.
        saving: options of save_pretrained.

    """
    torch = pytest.importorskip("torch", reason="the extra huggingface is not installed")
    transformers = pytest.importorskip(
        "transformers", reason="the extra huggingface is not installed"
    )
    torch.manual_seed(0)
    folder.mkdir()
    words = sorted({word for texts in learned for text in texts for word in text.split()})
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *words]), encoding="utf-8")
    tokenizer = transformers.BertTokenizer(str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(SPECIAL) + len(words),
        hidden_size=32,
        # Wide enough that two texts are compared from the first step on.
        initializer_range=0.2,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label=dict(labels),
        label2id={label: place for place, label in labels.items()},
    )
    model = transformers.BertForSequenceClassification(config)
    inputs = tokenizer(*map(list, zip(*learned, strict=True)), padding=True, return_tensors="pt")
    targets = torch.tensor(list(learned.values()))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    model.train()
    for _ in range(200):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(**inputs).logits, targets).backward()
        optimizer.step()
    model.save_pretrained(folder, **saving)
    return folder
