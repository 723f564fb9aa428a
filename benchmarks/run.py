"""Hold the project against a plain script that makes the same tables from the same raw data.

Both run on this machine, one after the other, as processes of their own; the figures that count are
ratios of the two in one run. dbt's own start-up, a build of one trivial model, is measured too:

    time of the first build      at most TIME_FACTOR x the script's + start-up
    peak memory of it            at most MEMORY_FACTOR x the script's + dbt's own
    a build with nothing new     at most a whole build of an empty shop + NOTHING_NEW_SECONDS

Budgets are reported, not enforced: the machine may be busy. The exit code is 1 only where the two
disagree (other features, labels, scores or explanations), or where a build with nothing new trained
or scored.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
RESULTS = PROJECT / "build" / "benchmark.json"

SESSIONS = 1_000_000
SESSIONS_PER_SCALE = 19_262
TIME_FACTOR = 1.25
MEMORY_FACTOR = 1.3
NOTHING_NEW_SECONDS = 15.0
SCORE_TOLERANCE = 1e-6
MIB = 2**20

# What the script makes too, and what it is made from.
SELECTION = (
    "+purchase_intent_scores",
    "+purchase_intent_explanations",
    "session_label_observations",
)
START_UP = "dbt build, one trivial model"
SCRIPT = "plain script"
FIRST = "dbt run, first build"
NOTHING_NEW_RUN = "dbt run, nothing new"
SNAPSHOT = "dbt snapshot, first"
REST = "dbt build, the rest"
TEST = "dbt test"
NOTHING_NEW_BUILD = "dbt build, nothing new"
EMPTY_BUILD = "dbt build, empty shop"
STEPS = (
    START_UP,
    SCRIPT,
    FIRST,
    NOTHING_NEW_RUN,
    SNAPSHOT,
    REST,
    TEST,
    NOTHING_NEW_BUILD,
    EMPTY_BUILD,
)

# What a build with nothing new leaves as it was.
UNCHANGED = (
    "scores",
    "newest_scored_at",
    "score_features",
    "explanations",
    "explanation_features",
)
MEASURED_FILES = (
    "dbt_project.yml",
    "benchmarks",
    "macros",
    "models",
    "seeds",
    "snapshots",
    "src/customer_insights",
    "tests/data",
)
SAMPLING_SECONDS = 0.05
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Measured:
    """One process: its times in seconds, its peak memory, the machine's load before it.

    `parts` are the seconds of its parts: a script's phases, or dbt's nodes. `peaks` are the
    highest resident bytes seen while a node was running, its own or those of one beside it.
    `failures` names nodes and tests that did not pass.
    """

    step: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    load_before: float
    parts: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class BenchmarkError(Exception):
    """A command failed; the message holds the end of what it printed."""


def measure(
    step: str,
    command: Sequence[str | Path],
    environment: dict[str, str],
    allowed: Sequence[int] = (0,),
) -> tuple[Measured, str, list[tuple[float, int]]]:
    """Run a command; what it took, what it printed, and its memory over time.

    Args:
        step: name of the measurement.
        command: what to run.
        environment: its environment variables.
        allowed: exit codes that are no error.

    Returns:
        The measurement, the command's standard output, and pairs of clock time in seconds and
        resident bytes, empty where the system does not tell.

    """
    load_before = os.getloadavg()[0]
    memory: list[tuple[float, int]] = []
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=PROJECT
        )
        resident = Path(f"/proc/{process.pid}/statm")
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if resident.exists():
                pages = int((resident.read_text().split() or ["0", "0"])[1])
                memory.append((time.time(), pages * PAGE_BYTES))
            time.sleep(SAMPLING_SECONDS)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode not in allowed:
        shown = " ".join(map(str, command))
        raise BenchmarkError(f"exit code {process.returncode} of: {shown}\n{text[-4000:]}")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    measured = Measured(
        step=step,
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * unit,
        load_before=load_before,
    )
    return measured, text, memory


@dataclass(frozen=True)
class Pair:
    """One comparison of the project and the script in a folder of its own."""

    folder: Path
    shop: Path
    threads: int

    @property
    def database(self) -> Path:
        """The project's database: the raw tables and what dbt builds."""
        return self.folder / "project.duckdb"

    @property
    def script_database(self) -> Path:
        """What the script writes."""
        return self.folder / "script.duckdb"

    def dbt(self, step: str, *arguments: str, database: Path | None = None) -> Measured:
        """Measure a dbt command on this pair's database, or on another."""
        target = self.folder / "target"
        command = [
            Path(sys.executable).with_name("dbt"),
            *arguments,
            *("--project-dir", PROJECT),
            *("--target-path", target),
            *("--log-path", self.folder / "logs"),
        ]
        environment = os.environ | {
            "DBT_PROFILES_DIR": str(self.folder),
            "DBT_TARGET": "local",
            "DUCKDB_PATH": str(database or self.database),
            "ML_SCHEMA": "insights",
            "RAW_SCHEMA": "raw",
            "SHOP_SOURCE": "raw",
            # What texts cost is measured by itself: benchmarks/texts.py.
            "TEXT_ENGINE": "null",
            "TRAINING_THREADS": str(self.threads),
        }
        # A failing test is a finding to report; a model that fails leaves nothing to measure.
        allowed = (0, 1) if arguments[0] in ("build", "test") else (0,)
        measured, _, memory = measure(step, command, environment, allowed)
        for result in json.loads((target / "run_results.json").read_text())["results"]:
            node = result["unique_id"].split(".", 2)[-1]
            measured.parts[node] = result["execution_time"]
            if result["status"] in ("error", "fail", "skipped"):
                measured.failures.append(f"{node}: {result['message']}")
            times = [
                datetime.fromisoformat(timing[edge]).timestamp()
                for timing in result["timing"]
                for edge in ("started_at", "completed_at")
                if timing[edge]
            ]
            seen = [used for at, used in memory if times and min(times) <= at <= max(times)]
            if seen:
                measured.peaks[node] = max(seen)
        return measured

    def script(self) -> Measured:
        """Measure the plain script on the same raw tables."""
        command = [
            sys.executable,
            HERE / "plain_script.py",
            *("--shop", self.shop),
            *("--out", self.script_database),
            *("--threads", str(self.threads)),
        ]
        measured, text, _ = measure(SCRIPT, command, dict(os.environ))
        measured.parts = json.loads(text.splitlines()[-1])
        return measured

    def prepare(self) -> None:
        """Copy the raw tables, load the vocabulary: dbt parses the project here, unmeasured."""
        self.folder.mkdir(parents=True)
        shutil.copy(self.shop, self.database)
        shutil.copy(PROJECT / "profiles.example.yml", self.folder / "profiles.yml")
        self.dbt("dbt seed", "seed", "--select", "path:seeds/vocabulary")

    def run(self, *, is_script_first: bool) -> tuple[list[Measured], dict[str, Any]]:
        """All steps, and what the databases hold after them."""
        self.prepare()
        steps = [self.dbt(START_UP, "build", "--select", "run_context")]
        if is_script_first:
            steps.append(self.script())
        steps.append(self.dbt(FIRST, "run", "--select", *SELECTION))
        if not is_script_first:
            steps.append(self.script())
        difference = _database("compare", self.database, self.script_database)
        first = _database("state", self.database)
        steps.append(self.dbt(NOTHING_NEW_RUN, "run", "--select", *SELECTION))
        after_run = _database("state", self.database)
        # From here on the whole project, as people run it.
        steps.append(self.dbt(SNAPSHOT, "snapshot", "--select", "session_label_history"))
        steps.append(self.dbt(REST, "build"))
        steps.append(self.dbt(TEST, "test"))
        steps.append(self.dbt(NOTHING_NEW_BUILD, "build"))
        after_build = _database("state", self.database)
        steps.append(self.dbt(EMPTY_BUILD, "build", database=self.folder / "empty.duckdb"))
        states = {"first": first, "after_run": after_run, "after_build": after_build}
        return steps, {"difference": difference, "states": states}


def _database(command: str, *paths: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, HERE / "shop_database.py", command, *paths],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def make_shop(sessions: int, folder: Path) -> Path:
    """Generate the shop and load it into a database, unless the folder has it already."""
    database = folder / f"shop-{sessions}.duckdb"
    if not database.exists():
        files = folder / f"shop-{sessions}"
        scale = sessions / SESSIONS_PER_SCALE
        subprocess.run(
            [
                *(sys.executable, "-m", "customer_insights.sample"),
                *("--format", "parquet", "--scale", f"{scale:.4f}", "--out", files),
            ],
            check=True,
        )
        loading = database.with_suffix(".loading")
        loading.unlink(missing_ok=True)
        _database("load", files, loading)
        loading.rename(database)
    return database


def fingerprint() -> str:
    """Hash of what the benchmark runs: a file edited meanwhile makes it compare two projects."""
    digest = hashlib.sha256()
    for part in MEASURED_FILES:
        root = PROJECT / part
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and path.suffix in (".csv", ".md", ".py", ".sql", ".yml"):
                digest.update(str(path.relative_to(PROJECT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def problems(outcome: dict[str, Any]) -> list[str]:
    """What makes the figures meaningless: another result, or work where there was nothing new."""
    difference, states = outcome["difference"], outcome["states"]
    found = [
        f"{name}: {value}"
        for name, value in difference.items()
        if (name.startswith(("different_", "unmatched_")) and value)
        or (name.startswith("largest_gap_") and value > SCORE_TOLERANCE)
        or (name.startswith("compared_") and not value)
    ]
    for after in ("after_run", "after_build"):
        for model, decision in states[after]["decisions"].items():
            if decision != "kept":
                found.append(f"{after}: {model} was {decision}: {states[after]['reasons'][model]}")
        found += [
            f"{after}: {name} went from {states['first'][name]} to {states[after][name]}"
            for name in UNCHANGED
            if states[after][name] != states["first"][name]
        ]
    return found


def ratios(steps: Sequence[Measured]) -> dict[str, float]:
    """The figures that budgets are about, from the medians over all pairs."""

    def median(step: str, name: str) -> float:
        return statistics.median(getattr(entry, name) for entry in steps if entry.step == step)

    def above_start_up(step: str, name: str) -> float:
        return median(step, name) - median(START_UP, name)

    return {
        "time": above_start_up(FIRST, "seconds") / median(SCRIPT, "seconds"),
        "cpu_time": above_start_up(FIRST, "cpu_seconds") / median(SCRIPT, "cpu_seconds"),
        "memory": above_start_up(FIRST, "peak_bytes") / median(SCRIPT, "peak_bytes"),
        "nothing_new_run_seconds": above_start_up(NOTHING_NEW_RUN, "seconds"),
        "nothing_new_build_seconds": (
            median(NOTHING_NEW_BUILD, "seconds") - median(EMPTY_BUILD, "seconds")
        ),
    }


def report(steps: Sequence[Measured], figures: dict[str, float]) -> None:
    """Print a table of the steps, the slowest nodes, and the ratios beside their budgets."""
    print(f"\n{'step':<30}{'wall s':>10}{'CPU s':>10}{'peak MiB':>10}{'load':>8}")
    for step in STEPS:
        for entry in steps:
            if entry.step == step:
                print(
                    f"{step:<30}{entry.seconds:>10.1f}{entry.cpu_seconds:>10.1f}"
                    f"{entry.peak_bytes / MIB:>10.0f}{entry.load_before:>8.2f}"
                )
    for step in (SCRIPT, FIRST, NOTHING_NEW_BUILD):
        last = [entry for entry in steps if entry.step == step][-1]
        slowest = sorted(last.parts.items(), key=lambda part: -part[1])[:6]
        print(f"\n{step}, slowest parts")
        for name, seconds in slowest:
            peak = f"{last.peaks[name] / MIB:>10.0f} MiB" if name in last.peaks else ""
            print(f"  {name:<58}{seconds:>8.1f} s{peak}")
    print(f"\n{'ratio':<58}{'found':>8}{'budget':>9}")
    for label, name, budget in (
        ("time, (first build - start-up) / script", "time", TIME_FACTOR),
        ("CPU time, the same", "cpu_time", TIME_FACTOR),
        ("memory, (first build - dbt's own) / script", "memory", MEMORY_FACTOR),
        (
            "dbt run with nothing new, seconds above start-up",
            "nothing_new_run_seconds",
            NOTHING_NEW_SECONDS,
        ),
        (
            "dbt build with nothing new, seconds above an empty shop's",
            "nothing_new_build_seconds",
            NOTHING_NEW_SECONDS,
        ),
    ):
        verdict = "within" if figures[name] <= budget else "OVER"
        print(f"{label:<58}{figures[name]:>8.2f}{budget:>9.2f}  {verdict}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="default: %(default)s")
    parser.add_argument("--pairs", type=int, default=1, help="comparisons, who goes first in turn")
    parser.add_argument(
        "--threads",
        type=int,
        default=0,
        help="XGBoost threads of both; 0: all cores. 1 where other work holds a core",
    )
    parser.add_argument("--folder", type=Path, help="keep data and databases here")
    parser.add_argument("--results", type=Path, default=RESULTS, help="default: %(default)s")
    given = parser.parse_args()

    before = fingerprint()
    steps: list[Measured] = []
    outcomes = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        shop = make_shop(given.sessions, folder)
        for number in range(given.pairs):
            pair = Pair(folder / f"pair-{given.sessions}-{number + 1}", shop, given.threads)
            shutil.rmtree(pair.folder, ignore_errors=True)
            measured, outcome = pair.run(is_script_first=number % 2 == 0)
            steps += measured
            outcomes.append(outcome)

    is_unchanged = fingerprint() == before
    figures = ratios(steps)
    given.results.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "sessions": given.sessions,
        "cores": os.cpu_count(),
        "threads": given.threads,
        "project": before,
        "is_project_unchanged": is_unchanged,
        "ratios": figures,
        "steps": [asdict(entry) for entry in steps],
        "outcomes": outcomes,
    }
    given.results.write_text(json.dumps(document, indent=2, default=str) + "\n")
    report(steps, figures)
    print(f"\n{given.sessions} sessions, {given.pairs} pairs, {os.cpu_count()} cores")
    for failure in dict.fromkeys(failure for entry in steps for failure in entry.failures):
        print(f"FAILED  {failure}")
    found = [problem for outcome in outcomes for problem in problems(outcome)]
    if not is_unchanged:
        found.append("files of the project were edited during the run")
    for problem in found:
        print(f"NOT COMPARABLE  {problem}")
    if not found:
        print("Both give the same features, labels, scores and explanations.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
