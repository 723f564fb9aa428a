"""Hold what reads texts against a plain scikit-learn script, and against bounds of its own.

The texts are those of the sample shop's reviews, in seven languages, each once; where more are
needed they begin anew with a number at their end. Every step is a process of its own:

    training of the embedded sentiment, RATED texts     at most TIME_FACTOR x the script's time
    scoring of SCORED texts                             at most TIME_FACTOR x the script's time
    peak memory of scoring --texts texts                at most MEMORY_LIMIT above that of SCORED
    topics of TOPIC_TEXTS: found, listed, assigned      at most TOPIC_SECONDS

The first two are medians over pairs, who goes first in turn. For the third DuckDB may have
MEMORY_LIMIT, which it fills with pages that it has read, needed or not: nothing else may grow.

The exit code is 1 where a budget is broken, or where the labels of the two differ by more than
OTHER_LABELS: they hash n-grams differently, and those that share a place are not the same ones.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from run import HERE, MIB, PROJECT, SESSIONS, Measured, Pair, make_shop, measure

RESULTS = PROJECT / "build" / "benchmark_texts.json"
RATED, SCORED, TOPIC_TEXTS = 75_000, 200_000, 100_000
TEXTS = 1_000_000
TIME_FACTOR, TOPIC_SECONDS = 1.2, 180.0
OTHER_LABELS = 0.01
MEMORY_LIMIT = 100.0  # MiB

LIBRARY, SCRIPT = "library", "plain script"
FILES = {LIBRARY: "text_steps.py", SCRIPT: "plain_sentiment.py"}
TRAINING, SCORING, TOPICS = "training", "scoring", "topics"


def prepare(folder: Path, shop: Path, texts: int) -> Path:
    """Have the project mask the shop's texts and lay out those of each step; the database."""
    # What a run may score bounds its time; here it is the size that counts.
    os.environ["MAX_EMBEDDED_TEXTS_PER_RUN"] = str(max(texts, SCORED))
    shutil.rmtree(folder, ignore_errors=True)
    pair = Pair(folder, shop, threads=0)
    pair.prepare()
    pair.dbt("dbt run", "run", "--select", "+review_texts", "run_context")
    rows = map(str, sorted({SCORED, TOPIC_TEXTS, texts}))
    run("prepare", LIBRARY, "prepare", pair.database, "--rated", str(RATED), "--rows", *rows)
    return pair.database


def run(step: str, side: str, *arguments: str | Path) -> tuple[Measured, Any]:
    """Measure a command of the library or the script; what it took, and what it said."""
    command = (sys.executable, HERE / FILES[side], *arguments)
    measured, text, _ = measure(f"{step}, {side}", command, dict(os.environ))
    print(
        f"{measured.step:<34}{measured.seconds:>9.1f} s{measured.cpu_seconds:>9.1f} s CPU"
        f"{measured.peak_bytes / MIB:>8.0f} MiB  load {measured.load_before:.2f}",
        flush=True,
    )
    return measured, json.loads(text.splitlines()[-1]) if text else None


def compare_times(database: Path, pairs: int) -> tuple[list[Measured], dict[str, Any]]:
    """Train and score with both, in turn; what each step took, and how the scores differ."""
    model, scores = database.with_name("script.npz"), database.with_name("script.duckdb")
    table = f"texts_{SCORED}"
    commands: dict[tuple[str, str], tuple[str | Path, ...]] = {
        (TRAINING, LIBRARY): ("train", database),
        (TRAINING, SCRIPT): ("train", database, model),
        (SCORING, LIBRARY): ("score", database, "--rows", str(SCORED)),
        (SCORING, SCRIPT): ("score", database, model, table, scores),
    }
    steps = []
    for number in range(pairs):
        sides = (LIBRARY, SCRIPT) if number % 2 else (SCRIPT, LIBRARY)
        for step in (TRAINING, SCORING):
            steps += [run(step, side, *commands[step, side])[0] for side in sides]
    _, difference = run("compare", LIBRARY, "compare", database, scores, "--rows", str(SCORED))
    return steps, difference


def compare_memory(database: Path, texts: int) -> list[Measured]:
    """Score few texts and many."""
    limit = ("--memory-limit", f"{MEMORY_LIMIT:.0f}MiB")
    return [
        run(f"{SCORING} {rows:,}", LIBRARY, "score", database, "--rows", str(rows), *limit)[0]
        for rows in (SCORED, texts)
    ]


def ratio(steps: Sequence[Measured], step: str) -> float:
    """Median over the pairs of the library's time, times the script's."""
    ours, theirs = (
        [entry.seconds for entry in steps if entry.step == f"{step}, {side}"]
        for side in (LIBRARY, SCRIPT)
    )
    return statistics.median(own / other for own, other in zip(ours, theirs, strict=True))


def report(figures: Sequence[tuple[str, float, float]], outcome: dict[str, Any]) -> None:
    """Print the figures beside their budgets, and what else was found."""
    print(f"\n{'':<52}{'found':>8}{'budget':>9}")
    for name, found, budget in figures:
        print(f"{name:<52}{found:>8.2f}{budget:>9.2f}  {'within' if found <= budget else 'OVER'}")
    for about, said in outcome.items():
        print(f"{about}: {', '.join(f'{name} {value}' for name, value in said.items())}")


def is_another_model(difference: dict[str, Any] | None) -> bool:
    """Whether the two do not mean the same by a text, which makes their times meaningless."""
    if difference is None:
        return False
    is_other = bool(difference["unmatched"] or difference["known_to_one"])
    return is_other or difference["other_labels"] > OTHER_LABELS * difference["texts"]


def main() -> int:
    """Measure, print, and write the figures into build/."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=TEXTS, help="default: %(default)s")
    parser.add_argument("--pairs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="keep data and databases here")
    parser.add_argument(
        "--only", choices=("times", "memory", TOPICS), help="default: one after the other"
    )
    given = parser.parse_args()
    steps: list[Measured] = []
    # Name, found, budget.
    figures: list[tuple[str, float, float]] = []
    outcome: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        database = prepare(folder / "texts", make_shop(SESSIONS, folder), given.texts)
        if given.only in (None, "times"):
            measured, outcome["difference"] = compare_times(database, given.pairs)
            steps += measured
            figures += [
                (f"{step}, times the script's", ratio(measured, step), TIME_FACTOR)
                for step in (TRAINING, SCORING)
            ]
        if given.only == "memory":
            run(TRAINING, LIBRARY, "train", database)
        if given.only in (None, "memory"):
            few, many = compare_memory(database, given.texts)
            steps += [few, many]
            growth = (many.peak_bytes - few.peak_bytes) / MIB
            name = f"memory, {given.texts:,} texts above {SCORED:,}, MiB"
            figures.append((name, growth, MEMORY_LIMIT))
        if given.only in (None, TOPICS):
            measured_topics, outcome["topics"] = run(
                TOPICS, LIBRARY, "topics", database, "--rows", str(TOPIC_TEXTS)
            )
            steps.append(measured_topics)
            figures.append(("topics, seconds", measured_topics.seconds, TOPIC_SECONDS))
    report(figures, outcome)
    RESULTS.parent.mkdir(exist_ok=True)
    document = {
        "cores": os.cpu_count(),
        "figures": {name: found for name, found, _ in figures},
        "steps": [asdict(entry) for entry in steps],
        **outcome,
    }
    RESULTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    is_over = any(found > budget for _, found, budget in figures)
    return 1 if is_over or is_another_model(outcome.get("difference")) else 0


if __name__ == "__main__":
    sys.exit(main())
