"""What the schedules in deploy/ run is a command of dbt, with settings that the project has.

The commands are parsed by dbt's own parser. That the files around them are valid is the matter of
test_deployment_files.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from click.core import ParameterSource
from click.exceptions import ClickException, Exit
from dbt.cli.flags import args_to_context
from deployment_files import NAME, REQUIRED, SQL_DIR, changed, sql_texts, statements

PROJECT_DIR = Path(__file__).resolve().parents[2]
SETTINGS = set(yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text("utf-8"))["vars"])
PROFILE = yaml.safe_load((SQL_DIR / "dbt_projects_profiles.yml").read_text("utf-8"))
TARGETS = set(PROFILE["customer_insights"]["outputs"])
WAREHOUSES = set(
    re.findall(rf"create warehouse if not exists ({NAME})", sql_texts()["20_warehouses.sql"])
)
TASKS = sql_texts()["tasks.sql"]
JOBS = (PROJECT_DIR / "deploy/dbt_cloud/jobs.yml").read_text("utf-8")
JOB_VARIABLES = yaml.safe_load(
    (PROJECT_DIR / "deploy/dbt_cloud/variables.example.yml").read_text("utf-8")
)
# A schedule builds everything. An option that narrows it (--select, --exclude) or that Snowflake
# does not take (--state, --project-dir) needs its reason here:
# https://docs.snowflake.com/en/user-guide/data-engineering/dbt-projects-on-snowflake-supported-commands
COMMAND = "build"
OPTIONS = {"target", "vars"}


def task_commands(text: str) -> Iterator[list[str]]:
    """The words after `dbt` of each task that runs the project."""
    for statement in statements(text, REQUIRED):
        if "execute dbt project" in statement:
            given = re.search(r"execute dbt project \S+\s+args = '((?:[^']|'')*)'$", statement)
            assert given, statement
            yield shlex.split(given[1].replace("''", "'"))


def jobs(text: str) -> dict[str, Any]:
    """The jobs of dbt Cloud."""
    rendered = jinja2.Template(text, undefined=jinja2.StrictUndefined).render(JOB_VARIABLES)
    found: dict[str, Any] = yaml.safe_load(rendered)["jobs"]
    return found


def command_problems(words: list[str]) -> list[str]:
    """A sentence for each thing in a command that dbt or the project does not know."""
    try:
        context = args_to_context(list(words))
    except (ClickException, Exit) as error:
        return [f"dbt says: {getattr(error, 'message', error)}"]
    given = {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    problems = [f"runs dbt {context.info_name}"] if context.info_name != COMMAND else []
    problems += [f"gives --{name.replace('_', '-')}" for name in sorted(set(given) - OPTIONS)]
    if given.get("target", "snowflake") not in TARGETS:
        problems.append(f"the profile has no target {given['target']}")
    settings = given.get("vars", {})
    problems += [f"{name} is no setting" for name in sorted(set(settings) - SETTINGS)]
    problems += [
        f"{name} is {value}, which nobody makes"
        for name, value in settings.items()
        if name.endswith("_warehouse") and value not in WAREHOUSES
    ]
    if settings.get("shop_source") != "raw":
        problems.append("it does not build the tables of the shop")
    if "training_warehouse" not in settings:
        problems.append("it trains in the profile's warehouse")
    return problems


def task_problems(text: str) -> list[str]:
    return [problem for words in task_commands(text) for problem in command_problems(words)]


def job_problems(text: str) -> list[str]:
    problems = []
    for name, job in jobs(text).items():
        if job["settings"]["target_name"] not in TARGETS:
            problems.append(f"{name}: the target is {job['settings']['target_name']}")
        for step in job["execute_steps"]:
            program, *words = shlex.split(step)
            problems += [f"{name} runs {program}"] if program != "dbt" else command_problems(words)
    return problems


def test_the_task_runs_a_command_of_dbt_with_settings_of_the_project() -> None:
    assert len(list(task_commands(TASKS))) == 1
    assert task_problems(TASKS) == []


def test_the_dbt_cloud_job_runs_a_command_of_dbt_with_settings_of_the_project() -> None:
    assert [len(job["execute_steps"]) for job in jobs(JOBS).values()] == [1]
    assert job_problems(JOBS) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("--target snowflake", "--target local", "the profile has no target local"),
        ("args = 'build", "args = 'biuld", "dbt says: No such command 'biuld'"),
        ("--target snowflake", "--traget snowflake", "dbt says: No such option"),
        ("build --target", "run --target", "runs dbt run"),
        ("raw') %>, training_w", "raw') %>, trainning_w", "trainning_warehouse is no setting"),
        ("default('training')", "default('trainning')", "training_warehouse is trainning"),
        ("default('raw')", "default('sample')", "it does not build the tables of the shop"),
        ("build --target", "build --select state:modified --target", "gives --select"),
        ("build --target", "build --full-refresh --target", "gives --full-refresh"),
        ('--vars "{', '--vars "', "dbt says: String 'shop_source"),
    ],
)
def test_a_mistake_in_what_the_task_runs_is_caught(old: str, new: str, problem: str) -> None:
    found = task_problems(changed(TASKS, old, new))
    assert any(said.startswith(problem) for said in found), found


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("dbt build", "dbt biuld", "dbt says: No such command 'biuld'"),
        ("dbt build", "dtb build", "build runs dtb"),
        ("dbt build --vars", "dbt build --var", "dbt says: No such option"),
        ("raw, training_warehouse", "raw, trainning_warehouse", "trainning_warehouse is no"),
        ("training_warehouse: training", "training_warehouse: trainer", "training_warehouse is"),
        ("target_name: snowflake", "target_name: local", "build: the target is local"),
        ("dbt build", "dbt build --exclude churn", "gives --exclude"),
    ],
)
def test_a_mistake_in_what_the_dbt_cloud_job_runs_is_caught(
    old: str, new: str, problem: str
) -> None:
    found = job_problems(changed(JOBS, old, new))
    assert any(said.startswith(problem) for said in found), found
