"""What lies in deploy/ and .github/ is right before anybody runs it on an account.

Each file is rendered and split as `snow sql` does it, and sqlglot parses it strictly. Statements of
administration it keeps as bare text, or takes with any property: `ADMINISTRATION` holds their
documented forms, and such a statement has to match one from end to end. The schedule files are
checked by their schemas. Each check is shown to catch mistakes.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import jsonschema
import pytest
import sqlglot
import yaml
from deployment_files import (
    NAME,
    REQUIRED,
    SQL_DIR,
    changed,
    may_select,
    may_use,
    set_up,
    sql_texts,
    statements,
)
from emulator.client import Emulator, start_emulator
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

PROJECT_DIR = Path(__file__).resolve().parents[2]
SQL_FILES = list(sql_texts())
JOBS = PROJECT_DIR / "deploy" / "dbt_cloud" / "jobs.yml"
JOB_VARIABLES = JOBS.with_name("variables.example.yml")
WORKFLOW = PROJECT_DIR / ".github" / "workflows" / "ci.yml"
COST_ANALYSIS = PROJECT_DIR / "analyses" / "cost_per_model_on_snowflake.sql"
TEXT_FILES = sorted(
    path
    for folder in (PROJECT_DIR / "deploy", WORKFLOW.parent)
    for path in folder.rglob("*")
    if path.is_file()
)

TEXT = r"'(?:[^']|'')*'"
TEXTS = rf"\({TEXT}(?:, ?{TEXT})*\)"
DOCS = "docs.snowflake.com/en/sql-reference/sql"
WAREHOUSE_PROPERTIES = (
    r"(?: (?:warehouse_type = 'SNOWPARK-OPTIMIZED'"
    r"|warehouse_size = '(?:XSMALL|SMALL|MEDIUM|LARGE|XLARGE|XXLARGE)'"
    r"|resource_constraint = '(?:MEMORY_1X|MEMORY_16X|MEMORY_64X)(?:_x86)?'"
    r"|auto_suspend = \d+|(?:auto_resume|initially_suspended) = (?:true|false)"
    r"|max_concurrency_level = \d+|statement_timeout_in_seconds = \d+))+"
)
TASK_PROPERTIES = (
    rf"(?: (?:schedule = 'USING CRON [^ ']+ [^ ']+ [^ ']+ [^ ']+ [^ ']+ [A-Za-z_/]+'"
    rf"|allow_overlapping_execution = (?:true|false)|user_task_timeout_ms = \d+"
    rf"|suspend_task_after_num_failures = \d+|comment = {TEXT}))*"
)
PRIVILEGE = (
    r"(?:usage|read|write|execute task|use ai functions|create (?:schema|table|view|dynamic table"
    r"|function|procedure|stage|file format|model|task|dbt project))"
)
ALERT_RECIPIENTS = rf"allowed_recipients = {TEXTS}"

# What sqlglot parses with any word for a property or a privilege.
LOOSELY_PARSED = ("create warehouse ", "create stage ", "grant ")

# Documented forms of those and of what sqlglot keeps as bare text (exp.Command): form, page.
ADMINISTRATION = {
    rf"create warehouse if not exists {NAME}{WAREHOUSE_PROPERTIES} comment = {TEXT}": (
        f"{DOCS}/create-warehouse"
    ),
    rf"create stage if not exists {NAME} encryption = \(type = 'SNOWFLAKE_SSE'\)"
    rf" directory = \(enable = true\) comment = {TEXT}": f"{DOCS}/create-stage",
    rf"grant {PRIVILEGE}(?:, {PRIVILEGE})* on"
    rf" (?:account|(?:database|schema|warehouse|stage|integration|secret) {NAME}) to role {NAME}": (
        f"{DOCS}/grant-privilege"
    ),
    rf"create role if not exists {NAME} comment = {TEXT}": f"{DOCS}/create-role",
    rf"grant role {NAME} to (?:role|user) {NAME}": f"{DOCS}/grant-role",
    rf"grant database role snowflake\.{NAME} to role {NAME}": f"{DOCS}/grant-database-role",
    rf"grant ownership on database {NAME} to role {NAME} copy current grants": (
        f"{DOCS}/grant-ownership"
    ),
    rf"grant (?:select on (?:all|future) (?:tables|views|dynamic tables)"
    rf"|usage on (?:all|future) procedures) in schema {NAME} to role {NAME}": (
        f"{DOCS}/grant-privilege"
    ),
    rf"create resource monitor if not exists {NAME} with credit_quota = \d+": (
        f"{DOCS}/create-resource-monitor"
    ),
    rf"alter resource monitor {NAME} set credit_quota = \d+ triggers"
    r"(?: on \d+ percent do (?:notify|suspend|suspend_immediate))+": (
        f"{DOCS}/alter-resource-monitor"
    ),
    rf"alter warehouse {NAME} set{WAREHOUSE_PROPERTIES}": f"{DOCS}/alter-warehouse",
    rf"alter warehouse {NAME} set resource_monitor = {NAME}": f"{DOCS}/alter-warehouse",
    rf"create user if not exists {NAME} type = service comment = {TEXT}": f"{DOCS}/create-user",
    rf"alter user {NAME} set rsa_public_key = {TEXT} default_role = {NAME}"
    rf" default_warehouse = {NAME} default_namespace = {NAME}": f"{DOCS}/alter-user",
    rf"alter user {NAME} set network_policy = {NAME}": f"{DOCS}/alter-user",
    rf"create network rule if not exists {NAME} type = ipv4 mode = ingress value_list = {TEXTS}"
    rf" comment = {TEXT}": f"{DOCS}/create-network-rule",
    rf"alter network rule {NAME} set value_list = {TEXTS}": f"{DOCS}/alter-network-rule",
    rf"create network policy if not exists {NAME} allowed_network_rule_list = {TEXTS}"
    rf" comment = {TEXT}": f"{DOCS}/create-network-policy",
    rf"create notification integration if not exists {NAME} type = email enabled = true"
    rf" {ALERT_RECIPIENTS} comment = {TEXT}": f"{DOCS}/create-notification-integration",
    rf"alter notification integration {NAME} set {ALERT_RECIPIENTS}": (
        f"{DOCS}/alter-notification-integration"
    ),
    rf"create secret if not exists {NAME} type = generic_string secret_string = {TEXT}"
    rf" comment = {TEXT}": f"{DOCS}/create-secret",
    rf"alter secret {NAME} set secret_string = {TEXT}": f"{DOCS}/alter-secret",
    rf"create notification integration if not exists {NAME} type = webhook enabled = true"
    rf" webhook_url = 'https://hooks\.slack\.com/services/SNOWFLAKE_WEBHOOK_SECRET'"
    rf" webhook_secret = {NAME} webhook_body_template = {TEXT}"
    rf" webhook_headers = \({TEXT} ?= ?{TEXT}\) comment = {TEXT}": (
        f"{DOCS}/create-notification-integration-webhooks"
    ),
    rf"create or replace task {NAME} warehouse = {NAME}{TASK_PROPERTIES}"
    rf" as execute dbt project {NAME} args = {TEXT}": f"{DOCS}/create-task",
    rf"create or replace task {NAME} warehouse = {NAME}{TASK_PROPERTIES} finalize = {NAME}"
    rf" as call {NAME}\(\s*system\$task_runtime_info\('[A-Z_]+'\)\s*\)": f"{DOCS}/create-task",
    rf"alter task (?:if exists )?{NAME} (?:suspend|resume)": f"{DOCS}/alter-task",
}

SYSTEM_ROLES = {"accountadmin", "securityadmin", "sysadmin", "useradmin"}

SECRETS = (
    r"-----BEGIN[A-Z ]*KEY",
    r"(?i)\b(?:password|passphrase|token|secret)\b\s*[:=]\s*['\"]?[^\s'\"${<]",
    r"\b(?:AKIA|ghp_|gho_|dbtc_|dbts_)[A-Za-z0-9_]{8,}",
    r"[A-Za-z0-9+/]{60,}",
)
DATES = (r"\b20\d\d-\d\d-\d\d\b", r"(?i)\bas_of\b['\"]?\s*[:=]")

# The keys that the dbt Cloud job uses, by the tool's reference
# (dbt-labs.github.io/dbt-jobs-as-code/latest/advanced_config/). CI runs the tool itself, whose
# packages do not go together with those of this project.
JOB_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["jobs"],
    "additionalProperties": False,
    "properties": {
        "jobs": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "account_id",
                    "project_id",
                    "environment_id",
                    "name",
                    "settings",
                    "run_generate_sources",
                    "execute_steps",
                    "generate_docs",
                    "schedule",
                    "triggers",
                ],
                "properties": {
                    "account_id": {"type": "integer"},
                    "project_id": {"type": "integer"},
                    "environment_id": {"type": "integer"},
                    "name": {"type": "string"},
                    "description": {"type": "string", "maxLength": 255},
                    "dbt_version": {"type": ["string", "null"]},
                    "settings": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "threads": {"type": "integer"},
                            "target_name": {"type": "string"},
                        },
                    },
                    "execution": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"timeout_seconds": {"type": "integer"}},
                    },
                    "run_generate_sources": {"type": "boolean"},
                    "generate_docs": {"type": "boolean"},
                    "execute_steps": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "string", "pattern": "^dbt "},
                    },
                    "schedule": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"cron": {"type": "string", "pattern": r"^\S+( \S+){4}$"}},
                    },
                    "triggers": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            key: {"type": "boolean"}
                            for key in (
                                "github_webhook",
                                "git_provider_webhook",
                                "schedule",
                                "on_merge",
                            )
                        },
                    },
                },
            },
        }
    },
}


def sql_problems(text: str) -> list[str]:
    """A sentence for each statement that Snowflake would not take, as far as can be told here."""
    try:
        found = statements(text, REQUIRED)
    except jinja2.TemplateError as error:
        return [f"does not render: {error}"]
    return [problem for statement in found for problem in statement_problems(statement)]


def statement_problems(statement: str) -> Iterator[str]:
    start = " ".join(statement.split())[:70]
    try:
        tree = sqlglot.parse_one(statement, dialect="snowflake", error_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        yield f"does not parse: {start}: {error}"
        return
    flat = " ".join(statement.split())
    is_bare = any(isinstance(node, exp.Command) for node in tree.walk())
    has_form = any(re.fullmatch(form, flat) for form in ADMINISTRATION)
    if (is_bare or flat.startswith(LOOSELY_PARSED)) and not has_form:
        yield f"has no documented form: {start}"
    for body in re.findall(r"\$\$(.*?)\$\$", statement, re.DOTALL):
        yield from body_problems(body)


def body_problems(body: str) -> Iterator[str]:
    """The queries of a procedure in Snowflake Scripting, without `into`, which only it knows."""
    queries = re.findall(r"^    ((?:insert|select)\b.*?);", body, re.DOTALL | re.MULTILINE)
    if not queries:
        yield "has a body without a query"
    for query in queries:
        try:
            sqlglot.parse_one(
                re.sub(r" into :\w+", "", query), dialect="snowflake", error_level=ErrorLevel.RAISE
            )
        except SqlglotError as error:
            yield f"does not parse: {query[:50]}: {error}"


def name_problems(files: Mapping[str, str]) -> list[str]:
    """What is used and never made, across files in the order in which they run."""
    kinds = {
        "role": rf"(?:to role|use role|default_role =|grant role) ({NAME})",
        "warehouse": rf"(?:on warehouse|alter warehouse|warehouse =) ({NAME})",
        "schema": rf"on schema ({NAME})|in schema ({NAME})",
        "stage": rf"on stage ({NAME})",
        "resource monitor": rf"(?:alter resource monitor|resource_monitor =) ({NAME})",
        "task": rf"(?:alter task|finalize =) ({NAME})",
        "procedure": rf"as call ({NAME})",
    }
    made = {kind: set(SYSTEM_ROLES) if kind == "role" else set() for kind in kinds}
    problems = []
    for file, text in files.items():
        for statement in statements(text, REQUIRED):
            flat = " ".join(re.sub(TEXT, "''", statement).split())
            for kind, use in kinds.items():
                new = re.match(rf"create (?:or replace )?{kind} (?:if not exists )?({NAME})", flat)
                if new:
                    made[kind].add(new[1])
                used = {
                    name
                    for groups in re.findall(use, flat)
                    for name in ([groups] if isinstance(groups, str) else groups)
                    if name
                }
                problems += [
                    f"{file}: {kind} {name} is not made before it is used"
                    for name in sorted(used - made[kind])
                    if not flat.startswith("alter task if exists")
                ]
    return problems


def text_problems(text: str) -> list[str]:
    """Secrets, and dates that would freeze what a schedule builds."""
    found = [
        f"looks like a secret: {hit[0][:30]}" for form in SECRETS for hit in re.finditer(form, text)
    ]
    return found + [f"a frozen date: {hit[0]}" for form in DATES for hit in re.finditer(form, text)]


def job_problems(text: str) -> list[str]:
    variables = yaml.safe_load(JOB_VARIABLES.read_text())
    jobs = yaml.safe_load(jinja2.Template(text, undefined=jinja2.StrictUndefined).render(variables))
    found = jsonschema.Draft202012Validator(JOB_SCHEMA).iter_errors(jobs)
    return [f"{error.json_path}: {error.message}" for error in found]


def workflow_problems(text: str, folder: Path) -> list[str]:
    """What GitHub's own schema of workflows says, and what keeps the key safe."""
    file = folder / "ci.yml"
    file.write_text(text)
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema", "--output-format", "json"),
            *("--builtin-schema", "vendor.github-workflows", str(file)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answer = json.loads(checked.stdout)
    problems = [error["message"] for error in answer.get("errors", [])]
    problems += [error["error"] for error in answer.get("parse_errors", [])]
    workflow = yaml.safe_load(text)
    if workflow.get("permissions") != {"contents": "read"}:
        problems.append("permissions are more than reading")
    for name, job in workflow["jobs"].items():
        guard = str(job.get("if", ""))
        if "permissions" in job:
            problems.append(f"{name} has permissions of its own")
        if "secrets." in guard:
            problems.append(f"{name} reads a secret in `if`, where it is always empty")
        if "secrets." in json.dumps(job.get("env", {})):
            problems.append(f"{name} gives a secret to every step")
        if "secrets." in json.dumps(job) and not (
            "github.ref == 'refs/heads/main'" in guard
            and "github.event_name == 'push'" in guard
            and "vars." in guard
        ):
            problems.append(f"{name} has a secret and runs where it must not")
        for step in job["steps"]:
            if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40)):
                problems.append(f"{step['uses']} is not pinned by commit")
            if "${{" in step.get("run", ""):
                problems.append(f"{name} puts an expression into a script")
    return problems


# --- SQL ---


@pytest.mark.parametrize("file", SQL_FILES)
def test_statements_have_a_form_that_snowflake_documents(file: str) -> None:
    assert sql_problems(sql_texts()[file]) == []


@pytest.mark.parametrize("form", ADMINISTRATION)
def test_no_form_is_left_over(form: str) -> None:
    flat = [
        " ".join(s.split()) for text in sql_texts().values() for s in statements(text, REQUIRED)
    ]
    assert any(re.fullmatch(form, statement) for statement in flat)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("00_roles.sql", "create role if not exists", "create role if exists"),
        ("10_database.sql", "encryption = (type", "encryption = (type = "),
        ("10_database.sql", "copy current grants", "copy curent grants"),
        ("20_warehouses.sql", "suspend_immediate", "suspend_at_once"),
        ("20_warehouses.sql", "default('XSMALL')", "default('TINY')"),
        ("20_warehouses.sql", "max_concurrency_level", "maximum_concurrency_level"),
        ("30_grants.sql", "create dynamic table, create", "create dynamical table, create"),
        ("30_grants.sql", "select on future dynamic tables", "select on future dynamic table"),
        ("30_grants.sql", "usage on future procedures", "select on future procedures"),
        ("40_service_user.sql", "type = service", "type = servant"),
        ("40_service_user.sql", "<% rsa_public_key %>", "<% rsa_pubic_key %>"),
        ("50_network_policy.sql", "mode = ingress", "mode = inward"),
        ("60_alerts.sql", "enabled = true", "enabled true"),
        ("70_alert_webhook.sql", "type = webhook", "type = web_hook"),
        ("70_alert_webhook.sql", "grant read on secret", "grant usage on secrets"),
        ("tasks.sql", "('USING CRON 0 5 * * * UTC'", "('USING CRON 0 5 * * UTC'"),
        ("tasks.sql", "finalize =", "finalise ="),
        ("tasks.sql", "execute dbt project", "execute dbt_project"),
        ("tasks.sql", "    )) as runs", "    ) as runs"),
        ("tasks.sql", "resume;\n", "resume\n"),
    ],
)
def test_a_mistake_in_a_statement_is_caught(file: str, old: str, new: str) -> None:
    assert sql_problems(changed(sql_texts()[file], old, new)) != []


def test_everything_is_made_before_it_is_used() -> None:
    assert name_problems(sql_texts()) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            "00_roles.sql",
            "create role if not exists customer_insights_reader",
            "create role if not exists customer_insights_readers",
        ),
        (
            "20_warehouses.sql",
            "create warehouse if not exists training",
            "create warehouse if not exists trainer",
        ),
        (
            "20_warehouses.sql",
            "resource_monitor = customer_insights_training",
            "resource_monitor = customer_insights",
        ),
        ("30_grants.sql", "on schema customer_insights.raw", "on schema customer_insights.raws"),
        (
            "30_grants.sql",
            "stage customer_insights.deployment.library",
            "stage customer_insights.deployment.libraries",
        ),
        (
            "tasks.sql",
            "call customer_insights.deployment.record_build(",
            "call customer_insights.deployment.record_builds(",
        ),
    ],
)
def test_a_wrong_name_is_caught(file: str, old: str, new: str) -> None:
    texts = dict(sql_texts())
    texts[file] = changed(texts[file], old, new)
    assert name_problems(texts) != []


def test_the_profile_names_what_is_set_up() -> None:
    profile = (PROJECT_DIR / "profiles.example.yml").read_text()
    defaults = dict(re.findall(r"env_var\('(\w+)', '(\w+)'\)", profile))
    everything = "\n".join(sql_texts().values())
    for variable, made in (
        ("SNOWFLAKE_ROLE", "create role if not exists {}"),
        ("SNOWFLAKE_DATABASE", "create database if not exists {}"),
        ("ML_WAREHOUSE", "create warehouse if not exists {}"),
        ("ML_SCHEMA", "ml_schema | default('{}')"),
    ):
        assert made.format(defaults[variable].lower()) in everything, variable


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with start_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


def test_the_files_run_and_run_again(emulator: Emulator) -> None:
    for _ in range(2):
        for text in sql_texts().values():
            for statement in statements(text, REQUIRED):
                emulator.execute(statement)
    schemas = {row[1] for row in emulator.query("show schemas in database customer_insights")}
    assert {"RAW", "DEPLOYMENT", "INSIGHTS", "INSIGHTS_SAMPLE"} <= schemas
    stages = {
        row[1] for row in emulator.query("show stages in schema customer_insights.deployment")
    }
    assert {"LIBRARY", "UPLOADS"} <= stages
    assert emulator.query("select count(*) from customer_insights.deployment.builds") == [(0,)]


READER = "customer_insights_reader"
OF_EACH_KIND = (
    "create or replace table {}.a (x integer)",
    "create or replace view {}.b as select x from {}.a",
    "create or replace dynamic table {}.c target_lag = '1 hour' warehouse = transforming "
    "as select x from {}.a",
)


def test_what_is_made_and_replaced_can_be_read_where_it_is_public(emulator: Emulator) -> None:
    """As the emulator keeps grants: on objects to come, and none on what they replace."""
    set_up(emulator)
    public, private = "customer_insights.insights", "customer_insights.insights_internal"
    emulator.execute(f"create schema if not exists {private}")

    def make(schema: str) -> dict[str, bool]:
        emulator.execute(*(make.replace("{}", schema) for make in OF_EACH_KIND))
        place = schema.partition(".")[2]
        return {name: may_select(emulator, READER, f"{place}.{name}") for name in "abc"}

    for _ in range(2):
        assert make(public) == {"a": True, "b": True, "c": True}
        assert make(private) == {"a": False, "b": False, "c": False}
    assert may_use(emulator, READER, "insights")
    assert not may_use(emulator, READER, "insights_internal")
    for kind, name in (("tables", "a"), ("views", "b"), ("dynamic tables", "c")):
        emulator.execute(f"revoke select on future {kind} in schema {public} from role {READER}")
        assert [read for read, is_read in make(public).items() if not is_read] == [name]
        set_up(emulator)


# --- schedules ---


def test_the_tasks_resume_in_the_right_order() -> None:
    ends = [
        s for s in statements(sql_texts()["tasks.sql"], {}) if s.endswith(("resume", "suspend"))
    ]
    names = [re.sub(r".*deployment\.", "", end) for end in ends]
    assert names == [
        "build_customer_insights suspend",
        "record_customer_insights resume",
        "build_customer_insights resume",
    ]


def test_the_profile_inside_snowflake_has_what_is_required() -> None:
    profile = yaml.safe_load((SQL_DIR / "dbt_projects_profiles.yml").read_text())
    output = profile["customer_insights"]["outputs"][profile["customer_insights"]["target"]]
    assert {"type", "account", "user", "role", "database", "warehouse", "schema"} <= set(output)
    variables = re.findall(r"env_var\('(\w+)'", json.dumps(output))
    assert variables
    assert all(name.startswith("DBT_") for name in variables)


def test_the_dbt_cloud_job_is_valid() -> None:
    assert job_problems(JOBS.read_text()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    triggers:", "    trigger:"),
        ("threads: 8", "threads: eight"),
        ('"dbt build', '"make build'),
        ('cron: "0 5 * * *"', 'cron: "0 5 * *"'),
        ("schedule: true", "schedule: often"),
    ],
)
def test_a_mistake_in_the_dbt_cloud_job_is_caught(old: str, new: str) -> None:
    assert job_problems(changed(JOBS.read_text(), old, new)) != []


def test_the_workflow_is_valid(tmp_path: Path) -> None:
    assert workflow_problems(WORKFLOW.read_text(), tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("runs-on: ubuntu-24.04", "run-on: ubuntu-24.04"),
        ("timeout-minutes: 60", "timeout-minutes: an hour"),
        ("contents: read", "contents: write"),
        ("    runs-on: ubuntu-24.04", "    permissions: write-all\n    runs-on: ubuntu-24.04"),
        ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd", "@v6"),
        ("vars.SNOWFLAKE_ACCOUNT != ''", "secrets.SNOWFLAKE_PRIVATE_KEY != ''"),
        ("github.event_name == 'push' && ", ""),
        ("SNOWFLAKE_AUTHENTICATOR: snowflake_jwt", "KEY: ${{ secrets.SNOWFLAKE_PRIVATE_KEY }}"),
        ("- run: make test", "- run: make test K=${{ secrets.SNOWFLAKE_PRIVATE_KEY }}"),
    ],
)
def test_a_mistake_in_the_workflow_is_caught(old: str, new: str, tmp_path: Path) -> None:
    assert workflow_problems(changed(WORKFLOW.read_text(), old, new), tmp_path) != []


@pytest.mark.parametrize("path", TEXT_FILES, ids=lambda path: path.name)
def test_there_is_no_secret_and_no_frozen_date(path: Path) -> None:
    assert text_problems(path.read_text()) == []


def test_no_procedure_or_function_may_reach_out_of_the_account() -> None:
    """Without an integration for it, code in the warehouse has no network.

    https://docs.snowflake.com/en/developer-guide/external-network-access/external-network-access-overview
    """
    files = [PROJECT_DIR / "dbt_project.yml", *TEXT_FILES]
    for folder in ("analyses", "macros", "models", "snapshots", "src"):
        files += [
            path
            for path in (PROJECT_DIR / folder).rglob("*")
            if path.suffix in (".py", ".sql", ".yml")
        ]
    assert len(files) > 400
    assert [path for path in files if "external_access" in path.read_text().lower()] == []


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "password = 'hunter2'",
        "DBT_API_KEY: dbtc_" + "a1" * 10,
        "rsa_public_key = '" + "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" * 3 + "'",
        "--vars '{as_of: 2024-06-30}'",
        "AS_OF=now",
        "where ordered_at < '2024-06-30'",
    ],
)
def test_a_secret_or_a_frozen_date_is_caught(text: str) -> None:
    assert text_problems(text) != []


# --- query tags and costs ---

TAGGED_PROJECT = {
    "dbt_project.yml": """
name: shop
version: 0.1.0
profile: shop
on-run-start: ["{{ tag_run() }}", "select 1 as hooked"]
flags: {send_anonymous_usage_stats: false}
""",
    "profiles.yml": """
shop:
  target: snowflake
  outputs:
    snowflake:
      type: snowflake
      account: test
      host: "{{ env_var('EMULATOR_HOST') }}"
      port: "{{ env_var('EMULATOR_PORT') | int }}"
      protocol: http
      user: somebody
      password: anything
      role: customer_insights_transformer
      warehouse: transforming
      database: customer_insights
      schema: tags
      threads: 2
      query_tag: '{"kind": "session", "project": "shop"}'
""",
    "models/a.sql": "select 1 as x",
    "models/b.sql": "{{ config(materialized='table') }} select x from {{ ref('a') }}",
    "models/broken.sql": "{{ config(materialized='table') }} select nothing from {{ ref('a') }}",
    "models/c.sql": "{{ config(query_tag=\"it's \\\\ odd\") }} select x from {{ ref('b') }}",
    "models/elsewhere.sql": """
{{ config(materialized='table', snowflake_warehouse='training') }} select x from {{ ref('b') }}
""",
    "models/all.yml": """
models:
  - name: c
    columns: [{name: x, data_tests: [not_null]}]
unit_tests:
  - name: b_copies_a
    model: b
    given: [{input: ref('a'), rows: [{x: 3}]}]
    expect: {rows: [{x: 3}]}
""",
    "seeds/s.csv": "y\n1\n",
}


def test_each_statement_carries_the_tag_of_its_node(emulator: Emulator, tmp_path: Path) -> None:
    macro = Path("macros/engine/set_query_tag.sql")
    for name, text in (TAGGED_PROJECT | {macro: (PROJECT_DIR / macro).read_text()}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    emulator.execute("create database if not exists customer_insights")
    before = len(emulator.statements())
    built = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "build", "--profiles-dir", "."],
        cwd=tmp_path,
        env=os.environ | {"EMULATOR_HOST": emulator.host, "EMULATOR_PORT": str(emulator.port)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "PASS=9 WARN=0 ERROR=1" in built.stdout, built.stdout

    tags_set: dict[str, int] = {}
    kinds: dict[str, str] = {}
    switches: list[str] = []
    for row in emulator.statements()[before:]:
        # dbt's own comment tells for whom it sent the statement.
        comment = re.search(r"/\* (\{.*\}) \*/", row["sql"])
        if comment is None:
            continue  # the connector's own
        node = json.loads(comment[1]).get("node_id")
        if row["sql"].startswith("alter session set query_tag"):
            tags_set[node] = tags_set.get(node, 0) + 1
            continue
        tag = json.loads(row["query_tag"])
        assert tag["project"] == "shop"
        if is_switch := re.match(r"select current_warehouse\(\)|use warehouse \w+", row["sql"]):
            assert node == "model.shop.elsewhere"
            switches.append(is_switch[0].lower())
            if node not in tags_set:
                continue  # before the materialization, too
        if node not in tags_set and row["sql"].startswith("describe "):
            continue  # while dbt compiles: metadata, before any materialization can set a tag
        if node is None or node.startswith("operation."):
            assert "node_id" not in tag
            assert tag["kind"] in ("session", "hook")
        else:
            assert tag["node_id"] == node
            assert tag["invocation_id"]
            kinds[node] = tag["kind"]
            assert tag.get("label") == ("it's \\\\ odd" if node == "model.shop.c" else None)
    assert set(tags_set.values()) == {1}, tags_set
    assert sorted(kinds.values()) == [
        *("seed", "table", "table", "table", "test", "unit_test", "view", "view"),
    ]
    # What dbt sends for a model with a warehouse of its own, and for no other.
    assert switches == [
        *("select current_warehouse()", "use warehouse training", "use warehouse transforming"),
    ]


USAGE = """
attach ':memory:' as snowflake;
create schema snowflake.account_usage;
-- Snowflake's functions of these names, as far as the analysis needs them.
create macro try_parse_json(text) as try_cast(text as json);
create macro get(object, field) as object ->> field;
create table snowflake.account_usage.query_history as
select query_id, query_tag, 'TRANSFORMING' as warehouse_name, current_date as start_time,
    0.001 as credits_used_cloud_services
from (values
    ('q1', '{"project": "P", "invocation_id": "r1", "kind": "view", "node_id": "model.a"}'),
    ('q2', '{"project": "P", "invocation_id": "r1", "kind": "view", "node_id": "model.a"}'),
    ('q3', '{"project": "P", "invocation_id": "r1", "kind": "hook"}'),
    ('q4', ''), ('q5', 'not json'), ('q6', '{"project": "another", "node_id": "model.a"}')
) as t (query_id, query_tag);
create table snowflake.account_usage.query_attribution_history as
select query_id, credits as credits_attributed_compute,
    cast(null as double) as credits_used_query_acceleration, current_date as start_time
from (values ('q1', 0.5), ('q4', 0.25), ('q5', 7.0), ('q6', 7.0)) as t (query_id, credits);
create table snowflake.account_usage.cortex_ai_functions_usage_history as
select query_id, credits, current_date as start_time
from (values ('q2', 0.125), ('q2', 0.125), ('q6', 7.0)) as t (query_id, credits);
create table snowflake.account_usage.dynamic_table_refresh_history as
select query_id, 'FEATURES' as name, 'INSIGHTS_INTERNAL' as schema_name, database_name,
    current_date as refresh_start_time
from (values ('q4', 'CUSTOMER_INSIGHTS'), ('q5', 'ANOTHER'), (null, 'CUSTOMER_INSIGHTS'))
    as t (query_id, database_name);
create table snowflake.account_usage.warehouse_metering_history as
select warehouse_name, credits_used_compute, credits_attributed_compute_queries,
    current_date as start_time
from (values ('TRANSFORMING', 2.0, 1.5), ('SOMEBODY_ELSE', 9.0, 1.0))
    as t (warehouse_name, credits_used_compute, credits_attributed_compute_queries);
"""


def test_the_cost_analysis_puts_credits_to_nodes() -> None:
    target = {"database": "customer_insights"}
    query = jinja2.Template(COST_ANALYSIS.read_text()).render(target=target, project_name="P")
    with duckdb.connect() as connection:
        connection.execute(USAGE)
        found = connection.execute(
            "select invocation_id, node_id, kind, statement_count, warehouse_credits, ai_credits,"
            f" credits from ({query}) order by node_id, kind"
        ).fetchall()
    assert [tuple(float(v) if hasattr(v, "real") else v for v in row) for row in found] == [
        ("r1", "(no node)", "hook", 1, 0, 0, 0),
        (None, "insights_internal.features", "dynamic_table_refresh", 1, 0.25, 0, 0.25),
        ("r1", "model.a", "view", 2, 0.5, 0.25, 0.75),
        (None, "transforming", "idle_warehouse", 0, 0.5, 0, 0.5),
    ]
