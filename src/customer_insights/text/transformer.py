"""Transformers that lie in a folder of this machine: nothing is downloaded, no code in it runs.

Needs the extra `huggingface` (transformers and torch).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

from customer_insights.errors import EngineError

BATCH_TEXTS = 32
# What nearly all such models were trained with; a longer text is cut.
MOST_TOKENS = 512
# While transformers reads a model it sets what holds for all threads, as torch's default type.
_READING = Lock()


@dataclass(frozen=True)
class Transformer:
    """A sequence classifier and its tokenizer, ready on a device.

    `version` is the name of its folder and the start of the hash of its files.
    """

    model: Any
    tokenizer: Any
    device: str
    version: str


def read_transformer(folder: Path, device: str, setting: str) -> Transformer:
    """Read a sequence classifier from a folder.

    On a CPU it computes in double precision: in single precision the other texts of a batch, and
    the number of threads, would move an answer in its seventh digit. That takes twice the time.

    Args:
        folder: what `save_pretrained` wrote: configuration, tokenizer, weights as safetensors.
        device: where it runs, `cpu`, `cuda`, `cuda:1`, `mps`, or `auto` for the best there is.
        setting: name of the setting that names the folder, for errors.

    Raises:
        EngineError: transformers is not installed, the folder holds no such model, or the machine
            has no such device.

    """
    if not (folder / "config.json").is_file():
        raise EngineError(
            f"{setting} is '{folder}', which holds no config.json; name a folder that a "
            "transformer was saved to (save_pretrained)."
        )
    with _READING:
        model, tokenizer = _read(folder, setting)
    tokenizer.model_max_length = min(MOST_TOKENS, tokenizer.model_max_length)
    torch = imported("torch")
    place = _best_device(torch) if device == "auto" else device
    try:
        # Other devices are slow at double precision, or do not know it.
        model.to(place, torch.float64 if place.startswith("cpu") else torch.float32).eval()
    except (RuntimeError, AssertionError) as error:
        raise EngineError(
            f"text_model_device is '{device}', which this machine has not; set it to auto."
        ) from error
    return Transformer(model, tokenizer, place, f"{folder.name}-{_files_hash(folder)[:8]}")


def _read(folder: Path, setting: str) -> tuple[Any, Any]:
    """Model and tokenizer of a folder."""
    transformers, torch = imported("transformers"), imported("torch")
    try:
        # Only safetensors: other weights are pickles, which can run code.
        model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    # Three libraries read the files, each with errors of its own.
    except Exception as error:
        raise _no_classifier(folder, setting, str(error)) from error
    # Both would be made up without a word: weights at random, a tokenizer that knows no words.
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"]))
        raise _no_classifier(folder, setting, f"no weights of {missing}")
    if not any((folder / name).is_file() for name in tokenizer.vocab_files_names.values()):
        raise _no_classifier(folder, setting, "no file of a tokenizer")
    return model, tokenizer


def imported(name: str) -> Any:
    """A package of the extra `huggingface`.

    Raises:
        EngineError: it is not installed.

    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"text_engine is huggingface, and {name} is not installed; run `pip install -c "
            "constraints.txt -e '.[local,huggingface]'`, or set text_engine to embedded."
        ) from error


def _no_classifier(folder: Path, setting: str, reason: str) -> EngineError:
    first_line = next(iter(reason.splitlines()), "")
    return EngineError(
        f"The folder '{folder}' of {setting} holds no sequence classifier with tokenizer and "
        f"safetensors: {first_line}"
    )


def _best_device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


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
