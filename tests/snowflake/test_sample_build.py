"""The sample shop, as `make pin-snowflake` and `make verify-snowflake` build it, and what it shows.

The emulator stands in the account's place. It is itself DuckDB, so equal values say that both
targets are wired alike, not that Snowflake would answer so. All tests here look at one build,
which takes minutes; test_builds.py compares small shops.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from column_kinds import columns_on_duckdb, columns_on_snowflake
from emulator.client import SHOWN_CHARACTERS, Emulator, start_emulator
from snowflake_lint import lint_project, lint_statements
from snowflake_lint.project import sentences
from snowflake_project import (
    PROJECT_DIR,
    SnowflakeProject,
    checkout,
    environment,
    open_project,
    public_tables,
    rows_on_duckdb,
    rows_on_snowflake,
    set_up_account,
    write_profile,
)
from statements_sent import (
    ASKED_FIRST,
    MEASURED,
    READ_AGAIN,
    SHOWN_TO_THE_REGISTRY,
    STEPS_OF_NODES,
    TRAINED_FROM,
    applied,
    applying,
    is_description,
    nodes_of,
    over_bounds,
    pairs_fetched,
)

from customer_insights.comparison import LOGS, OF_THE_CLOCK, Row, differences
from customer_insights.packages import declared
from customer_insights.pushdown import STEPS

# Two builds on the emulator and one on DuckDB, in one command.
SECONDS = 900
pytestmark = [pytest.mark.timeout(1200), pytest.mark.long]
SCHEMA = "verification_sample"
REGISTERED = f"customer_insights.{SCHEMA}_internal.purchase_intent_registered"
CHANGES = ("CREATE MODEL", "ALTER MODEL", "DROP MODEL")
# Statements of a procedure, for one model or two, where nothing is new; many only ask for columns.
STATEMENTS_OF_A_PROCEDURE = 32
# Descriptions of tables for each model and for each input of a unit test, on average.
DESCRIPTIONS = 2
# The windows that are due, and the profiles of each task.
QUESTIONS = 5
PROCEDURES = 21
FIRST_MODEL = "model.customer_insights.run_context"


@dataclass(frozen=True)
class Verified:
    """A checkout in which both commands ran, and the account that they ran on."""

    folder: Path
    emulator: Emulator

    @property
    def target(self) -> Path:
        """dbt's target folder."""
        return self.folder / "target"

    @property
    def report(self) -> str:
        """What `make verify-snowflake` wrote."""
        return (self.folder / "build" / "snowflake-verification.md").read_text(encoding="utf-8")

    @property
    def duckdb(self) -> Path:
        """The database of the same build on DuckDB."""
        return self.folder / "build" / "verification.duckdb"

    @property
    def public_tables(self) -> list[str]:
        """The tables that others may read."""
        return list(public_tables(self.target))

    @property
    def builds(self) -> list[list[dict[str, Any]]]:
        """The statements of each build, in the order in which they ended."""
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in self.emulator.statements():
            invocation = json.loads(entry["query_tag"] or "{}").get("invocation_id")
            found.setdefault(invocation, []).append(entry)
        return [sent for sent in found.values() if FIRST_MODEL in nodes_of(sent)]

    def both(self, table: str) -> tuple[list[Row], list[Row]]:
        """The rows of a public table on DuckDB and on Snowflake."""
        name = f"{SCHEMA}.{table}"
        return rows_on_duckdb(self.duckdb, name), rows_on_snowflake(self.emulator, name)


def call(folder: Path, command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the library in a folder; `make test` names a profile of its own."""
    return subprocess.run(
        [sys.executable, "-m", "customer_insights", command],
        cwd=folder,
        env=environment() | {"DBT_PROFILES_DIR": str(folder), "DBT_WRITE_JSON": "true"} | changes,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def everything_said(folder: Path, answer: subprocess.CompletedProcess[str]) -> str:
    """What a call printed, and what dbt wrote behind the sentences that it shows."""
    log = (folder / "logs" / "dbt.log").read_text(encoding="utf-8")
    return answer.stdout + answer.stderr + log[-SHOWN_CHARACTERS:]


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verified]:
    folder = checkout(tmp_path_factory.mktemp("sample") / "project")
    with start_emulator(folder / "account") as emulator:
        set_up_account(emulator)
        write_profile(folder, emulator)
        refused = call(folder, "verify")
        assert refused.returncode == 1
        assert "type: make pin-snowflake" in refused.stderr
        pinned = call(folder, "pin")
        assert pinned.returncode == 0, everything_said(folder, pinned)
        answer = call(folder, "verify")
        assert answer.returncode == 0, everything_said(folder, answer)
        yield Verified(folder, emulator)


def test_every_package_is_pinned(verified: Verified) -> None:
    assert all(declared(verified.folder / "dbt_project.yml").values())


def test_every_check_holds_and_is_reported(verified: Verified) -> None:
    compared = [name for name in verified.public_tables if name not in OF_THE_CLOCK]
    for what in (
        "first build of the sample, all tests",
        "nothing was trained again",
        "no text was scored again",
        "documentation",
        *(f"{name} is unchanged" for name in compared if name not in LOGS),
        *(f"{name} equals DuckDB's" for name in compared),
    ):
        assert f"| {what} | yes |" in verified.report
    assert "**no**" not in verified.report
    place = f"{verified.emulator.host}:{verified.emulator.port}"
    assert verified.report.startswith(f"# The Snowflake target on account test at {place}\n")
    assert {"session_features", "session_labels", "model_runs", "purchase_intent_scores"} <= set(
        verified.public_tables
    )


def test_every_public_table_has_the_same_columns_of_the_same_kinds(verified: Verified) -> None:
    expected = columns_on_duckdb(verified.duckdb, SCHEMA)
    found = columns_on_snowflake(verified.emulator, f"customer_insights.{SCHEMA}")
    assert set(verified.public_tables) <= set(expected)
    assert found == expected


def test_a_number_that_differs_would_be_seen(verified: Verified) -> None:
    expected, rows = verified.both("purchase_intent_scores")
    changed = [rows[0] | {"score": rows[0]["score"] + 2e-5}, *rows[1:]]
    assert differences("scores", expected, rows) == []
    assert differences("scores", expected, changed)
    assert differences("scores", expected, rows[1:])


@pytest.mark.parametrize(
    ("table", "versions_of"),
    [("model_runs", 5), ("purchase_intent_scores", 2), ("churn_scores", 1)],
)
def test_the_same_versions_serve(verified: Verified, table: str, versions_of: int) -> None:
    def versions(rows: list[Row]) -> set[tuple[str, str]]:
        return {(row["model_name"], row["model_version"]) for row in rows}

    expected, found = map(versions, verified.both(table))
    assert found == expected
    assert len(expected) == versions_of


def test_the_compiled_project_is_sql_that_snowflake_takes(verified: Verified) -> None:
    logs = [
        entry["sql"]
        for entry in verified.emulator.statements()
        if re.match(r"(?i)\s*create table if not exists \S+\.run_log", entry["sql"])
    ]
    problems = lint_project(verified.target, logs[:1])
    assert problems == [], sentences(problems)


def test_every_statement_of_the_build_is_one_that_snowflake_takes(verified: Verified) -> None:
    documents = [
        json.loads((verified.target / name).read_text(encoding="utf-8"))
        for name in ("catalog.json", "manifest.json")
    ]
    sent = [entry["sql"] for entry in verified.emulator.statements() if entry["ok"]]
    assert len(sent) > 100
    problems = lint_statements(sent, *documents, with_sqlfluff=False)
    assert problems == [], sentences(problems)


# --- what a build sends ---


def test_each_node_of_a_first_build_sent_few_statements(verified: Verified) -> None:
    first, _ = verified.builds
    assert applied(first) == {*STEPS, "create model"}
    # The ranker serves here: it is trained on enough.
    found = applying(first)
    assert found == STEPS_OF_NODES | {"product_recommendations_scored": {"score"}}
    assert {pair for pair in pairs_fetched(first) if pair[0] in found} == set()
    assert pairs_fetched(first) == {
        *TRAINED_FROM,
        *MEASURED,
        *SHOWN_TO_THE_REGISTRY,
        ("product_recommendations_registered", "product_candidates_to_score"),
    }
    assert len(nodes_of(first)) > 250
    assert over_bounds(first) == {}
    manifest = json.loads((verified.target / "manifest.json").read_text(encoding="utf-8"))
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    inputs = [given for test in manifest["unit_tests"].values() for given in test["given"]]
    described = [e for e in first if is_description(e) and not e["inside_procedure"]]
    assert 0 < len(described) <= DESCRIPTIONS * (len(models) + len(inputs))
    assert len([e for e in first if ASKED_FIRST.match(e["sql"])]) == QUESTIONS


def test_a_build_with_nothing_new_trains_and_scores_nothing(verified: Verified) -> None:
    _, second = verified.builds
    # Training sets stay where they are: their hash says that nothing is new.
    assert pairs_fetched(second) <= READ_AGAIN
    # No function that scores, explains or reads texts is made or called, and no model goes to the
    # registry.
    assert applied(second) == set()
    inside = Counter(
        json.loads(entry["query_tag"])["node_id"] for entry in second if entry["inside_procedure"]
    )
    assert len(inside) == PROCEDURES
    assert {n: count for n, count in inside.items() if count > STATEMENTS_OF_A_PROCEDURE} == {}
    assert over_bounds(second) == {}


# --- the procedure that an agent calls ---

PROCEDURE = f"customer_insights.{SCHEMA}.get_product_recommendations"
TOOL = PROJECT_DIR / "deploy" / "snowflake" / "recommendations_tool.yml"


def answer_of(verified: Verified, arguments: str) -> dict[str, Any]:
    ((text,),) = verified.emulator.query(f"call {PROCEDURE}({arguments})")
    answer: dict[str, Any] = json.loads(text)
    return answer


@pytest.mark.parametrize(
    ("arguments", "segment", "customers", "products"),
    [("", None, 10, 5), ("3, 4, 'REGULAR'", "REGULAR", 3, 4), ("100000, 1000", None, 100000, 1000)],
)
def test_the_procedure_gives_what_the_view_holds(
    verified: Verified, arguments: str, segment: str | None, customers: int, products: int
) -> None:
    _, rows = verified.both("product_recommendations")
    wanted = [row for row in rows if segment in (None, row["segment"])]
    best = {row["customer_id"]: 0.0 for row in wanted}
    for row in wanted:
        best[row["customer_id"]] = max(best[row["customer_id"]], row["score"] or 0.0)
    order = sorted(best, key=lambda customer: (-best[customer], customer))[:customers]
    expected = [
        [
            (row["rank"], row["product_id"], row["product_name"], row["category"], row["score"])
            for row in sorted(wanted, key=lambda row: int(row["rank"]))
            if row["customer_id"] == customer and row["rank"] <= products
        ]
        for customer in order
    ]
    answer = answer_of(verified, arguments)
    assert [found["customer_id"] for found in answer["customers"]] == order
    assert [
        [tuple(product.values()) for product in found["products"]] for found in answer["customers"]
    ] == expected
    assert answer["customer_count"] == len(order) > 2
    assert answer["recommendation_count"] == sum(map(len, expected))
    assert {answer["model_version"]} == {row["model_version"] for row in wanted}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("0", "n_customers is 0; give a whole number from 1 to 100000."),
        ("-1", "n_customers is -1; give a whole number from 1 to 100000."),
        ("1000000000", "n_customers is 1000000000; give a whole number from 1 to 100000."),
        ("null", "n_customers is null; give a whole number from 1 to 100000."),
        ("1, 1001", "n_products is 1001; give a whole number from 1 to 1000."),
        ("1, 1, 'x'' or 1=1 --'", "There is no segment 'x' or 1=1 --'; there are AT_RISK, "),
    ],
)
def test_the_procedure_refuses_with_one_sentence(
    verified: Verified, arguments: str, sentence: str
) -> None:
    answer = answer_of(verified, arguments)
    assert list(answer) == ["error"]
    assert answer["error"].startswith(sentence)


def test_the_tool_of_an_agent_is_the_procedure(verified: Verified) -> None:
    described = yaml.safe_load(TOOL.read_text(encoding="utf-8"))
    (tool,) = (entry["tool_spec"] for entry in described["tools"])
    resource = described["tool_resources"][tool["name"]]
    assert resource["type"] == "procedure"
    assert resource["identifier"] == "CUSTOMER_INSIGHTS.INSIGHTS.GET_PRODUCT_RECOMMENDATIONS"
    (created,) = {
        entry["sql"]
        for entry in verified.emulator.statements()
        if "create or replace procedure" in entry["sql"] and tool["name"] in entry["sql"]
    }
    declared = re.findall(r"(\w+) (integer|varchar) default", created)
    kinds = {"integer": "integer", "varchar": "string"}
    properties = tool["input_schema"]["properties"]
    assert [(name, kinds[kind]) for name, kind in declared] == [
        (name, entry["type"]) for name, entry in properties.items()
    ]
    segments = verified.emulator.query(
        f"select segment from customer_insights.{SCHEMA}_vocabulary.customer_segment_vocabulary"
    )
    assert all(segment in properties["segment_name"]["description"] for (segment,) in segments)
    answer = answer_of(verified, "")
    assert all(name in tool["description"] for name in (*answer, *answer["customers"][0]))


# --- the registry: these tests change what the build made, and put it right again ---


@pytest.fixture(scope="module")
def project(
    verified: Verified, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SnowflakeProject]:
    """Calls of dbt on the schemas of the build."""
    folder = tmp_path_factory.mktemp("project")
    opened = open_project(folder, verified.emulator, ML_SCHEMA="verification")
    yield opened
    opened.worker.close()


def test_a_build_registers_its_models_and_the_next_only_looks(
    verified: Verified, project: SnowflakeProject
) -> None:
    registered = f"select * from {REGISTERED} order by model_name"
    champions = verified.emulator.query(
        "select model_name, model_version, training_set_hash, 'serving', true, "
        f"cast(null as varchar) from customer_insights.{SCHEMA}.model_runs where is_champion "
        "and model_name like 'purchase_intent%' "
        "qualify row_number() over (partition by model_name order by decision_number desc) = 1 "
        "order by model_name"
    )
    assert len(champions) == 2
    # The second build had nothing to do.
    statuses = verified.emulator.query(
        "select model_name, model_version, training_set_hash, status, is_default, actions "
        f"from {REGISTERED} order by model_name"
    )
    assert statuses == champions
    before = verified.emulator.query(registered)
    logged = [e["sql"] for e in verified.emulator.statements() if is_change(e["sql"])]
    assert len(logged) >= len(champions)
    began_at = len(verified.emulator.statements())
    project.dbt("build", "--select", "purchase_intent_registered")
    assert not [e["sql"] for e in verified.emulator.statements(began_at) if is_change(e["sql"])]
    assert verified.emulator.query(registered) == before


def is_change(sql: str) -> bool:
    return sql.strip().upper().startswith(CHANGES)


@pytest.mark.parametrize(
    "mistake",
    [
        "set is_default = false",
        "set training_set_hash = 'another'",
        "set artifact_sha256 = null",
        "set model_version = 'another'",
        "set status = 'retired'",
    ],
)
def test_the_reconciling_test_sees_a_difference(
    verified: Verified, project: SnowflakeProject, mistake: str
) -> None:
    settings = f"customer_insights.{SCHEMA}_internal.run_context"
    verified.emulator.execute(
        f"update {REGISTERED} {mistake} where model_name like '%in_session'",
        f"update {settings} set registry_keep_versions = 0",
    )
    try:
        found = project.dbt(
            "test", "--select", "assert_registry_agrees_with_model_runs", check=False
        )
    finally:
        verified.emulator.execute(f"update {settings} set registry_keep_versions = 10")
        project.dbt("build", "--select", "purchase_intent_registered")
    assert found.exit_code == 1
    assert found.statuses["assert_registry_agrees_with_model_runs"] == "fail"


@pytest.mark.parametrize("missing", ["SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_TOKEN"])
def test_without_credentials_it_says_which_variables_it_needs(tmp_path: Path, missing: str) -> None:
    answer = call(tmp_path, "verify", **{missing: ""})
    assert answer.returncode == 1
    assert f"set {missing}." in answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr
    assert not list(tmp_path.iterdir())
