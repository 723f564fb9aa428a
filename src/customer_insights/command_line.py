"""Run dbt for people: progress while it runs, a sentence where it fails, a summary when it is done.

Everything here can be done with plain dbt; the README says how. What it adds is one process for
loading, building and summing up, checks that dbt cannot make, and no tracebacks.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from customer_insights.cards.writing import CARDS_FOLDER, write_cards
from customer_insights.dbt_calls import QUIET, UNWRITTEN, Dbt
from customer_insights.errors import CustomerInsightsError
from customer_insights.library import BUILD_FOLDER, PROJECT_FILE, build_zip
from customer_insights.notify import notify
from customer_insights.packages import pin
from customer_insights.pages import page_of
from customer_insights.progress import Progress, sentence_of
from customer_insights.verification import check_credentials, verify

# What each command builds; tests of tables that it does not build are left out. `tuning_trials`
# shows the searches of all tasks: what those are made of is not built, but is "buildable".
SELECTION = {
    "build": [],
    "evaluate": ["--select", "+path:models/evaluation", "--indirect-selection", "buildable"],
    "tune": ["--select", "+{task}_tuned", "tuning_trials", "--indirect-selection", "cautious"],
}
MODEL_CATALOG = Path("seeds/vocabulary/model_catalog.csv")
TUNED_MODELS = Path("models/tuning/internal")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run it; the exit code is 0 only where all went well."""
    given = _parser().parse_args(arguments)
    # With a key pair the connector tries an address that does not answer for a minute, silently.
    os.environ.setdefault("JWT_CNXN_RETRY_ATTEMPTS", "2")
    try:
        exit_code: int = given.run(given)
    except CustomerInsightsError as error:
        print(f"\nError: {error}", file=sys.stderr)
        return 1
    return exit_code


def _parser() -> argparse.ArgumentParser:
    """The commands, each with what runs it in `run`."""
    parser = argparse.ArgumentParser(prog="python -m customer_insights")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, purpose: str, run: Callable[[argparse.Namespace], int]) -> Any:
        command = commands.add_parser(name, help=purpose)
        command.set_defaults(run=run)
        return command

    add("deploy", "put the library on its Snowflake stage", lambda _: deploy())
    add("notify", "send new alerts to ALERT_WEBHOOK_URL", lambda _: notify(os.environ))
    add("pin", "write the package versions of your Snowflake account", lambda _: pin())
    proof = add("verify", "build the sample on Snowflake; compare with DuckDB", _prove)
    proof.add_argument("--credentials-only", action="store_true", help="check them, and stop")
    proof.add_argument("--local-python", default=sys.executable, help="interpreter for DuckDB")
    pages = add(
        "cards",
        "write a page about each model that serves",
        lambda given: describe_models(given.folder, is_needed=not given.if_built),
    )
    pages.add_argument("--if-built", action="store_true", help="or nothing, before a build")
    pages.add_argument("--folder", type=Path, default=CARDS_FOLDER, help="default: %(default)s")
    for name, purpose in (
        ("build", "load data if there is any, train, score, test, and sum up"),
        ("evaluate", "measure the training recipe many times over, with intervals"),
        ("tune", "search for parameters with which a model does better on rows to come"),
    ):
        command = add(name, purpose, lambda given: run(given.command, given.data, given.model))
        command.add_argument(
            "--data", help="file or folder to load first; default: the sample shop"
        )
        command.set_defaults(model=None)
        if name == "tune":
            command.add_argument("--model", help="model to tune, as model_catalog.csv names it")
    return parser


def _prove(given: argparse.Namespace) -> int:
    check_credentials(os.environ)
    return 0 if given.credentials_only else verify(given.local_python)


def deploy() -> int:
    """Put the library on its stage, for Python models to import.

    Raises:
        CustomerInsightsError: with the sentence to show.

    """
    read_project(PROJECT_FILE)
    progress = Progress()
    operation(read(progress), progress, "stage_library", {"path": str(build_zip(BUILD_FOLDER))})
    return 0


def describe_models(folder: Path, *, is_needed: bool) -> int:
    """Write the model cards, and say where they are.

    Raises:
        CustomerInsightsError: no model serves and a card is needed, or reading failed.

    """
    read_project(PROJECT_FILE)
    names = write_cards(Dbt(), folder)
    if not names and is_needed:
        raise CustomerInsightsError("No model serves yet, so there is no card; type: make build.")
    for name in names:
        print(f"  {folder / name}.md")
    return 0


def read(progress: Progress) -> dbtRunner:
    """Parse the project; a runner that needs not do it again.

    Raises:
        CustomerInsightsError: it can not be parsed.

    """
    print("Reading the project ...", flush=True)
    parsed = dbtRunner(callbacks=[progress.on_event]).invoke([*UNWRITTEN, "parse", *QUIET])
    if not parsed.success:
        raise CustomerInsightsError(what_failed(parsed))
    return dbtRunner(manifest=cast(Manifest, parsed.result), callbacks=[progress.on_event])


def run(command: str, data: str | None, model: str | None = None) -> int:
    """Load, build and sum up; `model` is the one to tune.

    Raises:
        CustomerInsightsError: with the sentence to show.

    """
    project = read_project(PROJECT_FILE)
    if data:
        os.environ["SHOP_SOURCE"] = "raw"
    if command == "evaluate":
        os.environ["IS_EVALUATION_ENABLED"] = "true"
    selection = SELECTION[command]
    if command == "tune":
        task = task_to_tune(model)
        os.environ["TUNING_MODEL"] = str(model)
        selection = [words.format(task=task) for words in selection]
    progress = Progress()
    runner = read(progress)
    names = sorted(project.get("vars") or {})
    operation(runner, progress, "check_settings", {"project_vars": names})
    if data:
        print(f"Loading {data} ...", flush=True)
        operation(runner, progress, "load_files", {"path": data})
    built = runner.invoke(["build", *selection, *QUIET])
    progress.finish()
    if not built.success:
        raise CustomerInsightsError(sentence_of(progress.stop_reason) or what_failed(built))
    operation(runner, progress, f"print_{command}_summary", {})
    return 0


def task_to_tune(model: str | None) -> str:
    """The task of a model that can be tuned.

    Raises:
        CustomerInsightsError: no model is named, or there is none of that name.

    """
    with MODEL_CATALOG.open(encoding="utf-8", newline="") as catalog:
        tasks = {row["model_name"]: row["task"] for row in csv.DictReader(catalog)}
    known = {
        name: task for name, task in tasks.items() if (TUNED_MODELS / f"{task}_tuned.py").exists()
    }
    names = ", ".join(sorted(known))
    if model is None:
        raise CustomerInsightsError(
            f"Name the model to tune, as in MODEL=churn; there are: {names}."
        )
    if model not in known:
        raise CustomerInsightsError(f"There is no model '{model}' to tune; there are: {names}.")
    return known[model]


def read_project(path: Path) -> dict[str, Any]:
    """The project file as a mapping.

    Raises:
        CustomerInsightsError: it is not there or is not YAML.

    """
    if not path.exists():
        raise CustomerInsightsError(
            f"There is no {path} here; run this from the folder of the project."
        )
    try:
        project = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CustomerInsightsError(
            f"{path} is not valid YAML ({' '.join(str(error).split())}); mend it and try again."
        ) from error
    return project if isinstance(project, dict) else {}


def operation(runner: dbtRunner, progress: Progress, macro: str, arguments: dict[str, Any]) -> None:
    """Run one macro of the project.

    Raises:
        CustomerInsightsError: it failed; with its reason as one sentence.

    """
    result = runner.invoke(
        [*UNWRITTEN, "run-operation", macro, "--args", yaml.safe_dump(arguments), *QUIET]
    )
    if not result.success:
        raise CustomerInsightsError(sentence_of(progress.stop_reason) or what_failed(result))


def what_failed(result: dbtRunnerResult) -> str:
    """Why a dbt command failed: a sentence for each failed node."""
    if result.exception is not None:
        return sentence_of(str(result.exception))
    failed = [
        entry
        for entry in getattr(result.result, "results", [])
        if str(entry.status) in ("error", "fail", "runtime error")
    ]
    lines = []
    for entry in failed:
        node = getattr(entry, "node", None)  # a macro's result has none
        about = sentence_of(entry.message or "")
        if node is not None and node.resource_type in ("test", "unit_test"):
            meaning = " ".join((node.description or "").split())
            page = page_of(node)
            more = f"{page} says more." if page else ""
            words = (f"test {node.name} failed: {about.rstrip('.')}.", meaning, more)
            about = " ".join(word for word in words if word)
        lines.append(about)
    return "\n".join(dict.fromkeys(lines)) or "dbt failed; logs/dbt.log says more."
