"""Builds of a shop whose raw tables change: what the emulator then holds is what DuckDB holds.

One shop lives through it all, so the tests of this file run in their order.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from column_kinds import columns_on_duckdb, columns_on_snowflake
from deployment_files import may_select, may_use, set_up
from emulator.client import start_emulator
from snowflake.connector import DictCursor
from snowflake_lint import lint_project, lint_statements
from snowflake_lint.dynamic_tables import check_body
from snowflake_lint.project import compiled, sentences
from snowflake_lint.relations import read_relations
from snowflake_lint.statement import Statement
from snowflake_project import (
    PROJECT_DIR,
    WITHOUT_TESTS,
    SnowflakeProject,
    build_on_duckdb,
    literal,
    open_project,
    public_tables,
    put_raw,
    rows_on_duckdb,
    rows_on_snowflake,
    stage_library,
    typed,
)
from statements_sent import (
    MEASURED,
    READ_AGAIN,
    SHOWN_TO_THE_REGISTRY,
    STEPS_OF_NODES,
    TRAINED_FROM,
    Entry,
    answers_outside,
    applied,
    applying,
    node_of,
    over_bounds,
    pairs_fetched,
    tag_of,
)

from customer_insights.comparison import OF_THE_CLOCK, Row, differences
from customer_insights.fingerprint import training_set_hash
from customer_insights.progress import sentence_of
from customer_insights.sample import RAW_SCHEMAS, ShopConfig, generate_blocks
from dbt_worker import Answer
from webhook import listening

# So few, that every model of the shop but the ranker is good enough to serve.
RAW = {
    "SHOP_SOURCE": "raw",
    "MIN_TRAIN_ROWS": "300",
    "MIN_CLASS_ROWS": "10",
    "MIN_RATED_TEXTS": "100",
    "REVIEW_VALIDATION_DAYS": "150",
}
SCORES = "customer_insights.insights.purchase_intent_scores"
# What the emulator gives a function at once, at most, and what one is given memory for in a test.
ROWS_OF_A_BATCH, ROWS_IN_MEMORY = 2_048, 2_100
# Every statement of a build, those of procedures too.
STATEMENTS_OF_A_BUILD = 1_700
# Schemas and what is in them, for dbt to know, and then a session's first tag.
CONNECTING = re.compile(
    r"(?i)\s*(show (terse schemas|objects|user functions) in|create schema if not exists"
    r"|alter session set query_tag = '{\"invocation_id\")"
)
STATEMENTS_OF_CONNECTING = 30
# Public tables in which this shop has no row, and why.
EMPTY = {
    "model_erasures": "nobody asked to be forgotten",
    "recommendation_performance": "no window of a served list is over",
    "tuning_trials": "nobody has searched for parameters",
}
READER = "customer_insights_reader"
MADE_BY_HOOKS = re.compile(r"(?i)\s*create table if not exists \S+\.(run_log|sent_alerts)\b")
# To which each build adds what it decided, and how many texts it scored.
ADDED_TO = {"model_runs", "retraining_triggers", "text_scoring_runs"}
# In a public schema, though for this project's own models to refer to.
READABLE_TOO = {"serving_versions"}
# Rows of nodes that apply steps, and the time at which each was made.
KEPT = {
    "churn_scored": "scored_at",
    "purchase_intent_scored": "scored_at",
    "review_aspects_found": "found_at",
    "review_details_counted": "counted_at",
    "review_languages_detected": "detected_at",
    "review_sentiment_predicted": "scored_at",
    "review_topics_assigned": "assigned_at",
}
# What builds leave on purpose.
STAY = {"stages": {"LIBRARY", "UPLOADS"}, "procedures": {"GET_PRODUCT_RECOMMENDATIONS"}}
# Columns that dbt fetches, and rows at once, at most: what is declared of models and features,
# names of columns, how many rows each table holds, and versions with their windows and profiles.
FETCHED = {
    "cast(min(window_start_on) as varchar)",
    "baseline_features",
    "cast(window_start_on as varchar)",
    "excluded_features",
    "feature",
    "feature_table",
    "included_features",
    "is_current_only",
    "is_outcome_derived",
    "is_outcome_derived_allowed",
    "is_protected",
    "known_when",
    "lower(column_name)",
    "lower(table_name)",
    "lower(table_schema)",
    "model_name",
    "model_version",
    "primary_metric",
    "profile",
    "row_count",
    "task_name",
}
FETCHED_AT_ONCE = 200
Tables = dict[str, pa.Table]


def shop() -> Tables:
    (tables,) = generate_blocks(ShopConfig(scale=0.2))
    return {name: tables[name] for name in RAW_SCHEMAS}


@dataclass(frozen=True)
class Changes:
    """What a day brings to a table: rows that come, come late and go, and one that changes.

    `at` is the column that says when, `of_new` what else is so of those that come.
    """

    key: str
    edited: Mapping[str, Any]
    came: int
    late: int
    went: int
    at: str | None = None
    of_new: Mapping[str, Any] = field(default_factory=dict)


# Places in the order of keys: of rows that are edited, and of one that goes without a trace.
EDITED, GONE = 10, 20
CHANGES = {
    "sessions": Changes(
        "session_id", {"exit_rates": 0.123, "is_purchase": True}, 40, 5, 7, "started_at"
    ),
    "customers": Changes("customer_id", {"plan": "premium", "location": "Oslo"}, 3, 0, 2),
    "products": Changes("product_id", {"price_amount": Decimal("12.34")}, 2, 0, 1),
    "orders": Changes(
        "order_id",
        {"status": "returned"},
        30,
        5,
        7,
        "ordered_at",
        {"session_id": None, "status": "placed", "status_changed_at": None},
    ),
    "reviews": Changes(
        "review_id",
        {"text": "The pan broke after a week and the refund was slow."},
        20,
        3,
        3,
        "created_at",
    ),
}


def changed(tables: Tables) -> Tables:
    """The shop a day later: rows of every table that came, came late, changed and went."""
    next_day = pc.max(tables["sessions"]["started_at"]).as_py() + timedelta(days=1)
    rows = {name: day_later(tables[name].to_pylist(), next_day, CHANGES[name]) for name in CHANGES}
    for review in rows["reviews"]:
        if review["review_id"].startswith("n-"):
            review["text"] = f"{review['text']} I bought it again."
    # A session that models learned from.
    del rows["sessions"][GONE]
    # Sessions whose outcome is final by now, enough to measure the models by.
    rows["sessions"] += [
        row | {"session_id": f"y-{row['session_id']}", "started_at": next_day - timedelta(days=2)}
        for row in tables["sessions"].sort_by("session_id").slice(100, 80).to_pylist()
    ]
    # What an order holds comes and goes with it.
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in tables["order_items"].to_pylist():
        lines.setdefault(line["order_id"], []).append(line)
    rows["order_items"] = [
        line | {"order_id": order["order_id"]}
        for order in rows["orders"]
        for line in lines[order["order_id"][-len("o-00000000") :]]
    ]
    rows["order_items"][EDITED]["quantity"] += 3
    del rows["order_items"][GONE]
    return {name: pa.Table.from_pylist(rows[name], tables[name].schema) for name in tables}


def day_later(
    rows: Iterable[dict[str, Any]], next_day: datetime, changes: Changes
) -> list[dict[str, Any]]:
    """The rows of one table a day later; those that came begin with n-, the late ones with l-."""
    key = changes.key
    there = sorted(rows, key=itemgetter(key))
    stayed = there[: len(there) - changes.went]
    stayed[EDITED] = stayed[EDITED] | changes.edited
    when = {changes.at: next_day} if changes.at else {}
    came = [row | changes.of_new | when | {key: f"n-{row[key]}"} for row in there[: changes.came]]
    late = there[100 : 100 + changes.late]
    return [*stayed, *came, *(row | changes.of_new | {key: f"l-{row[key]}"} for row in late)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeProject]:
    folder = tmp_path_factory.mktemp("builds")
    with start_emulator(folder / "account") as emulator:
        set_up(emulator)
        stage_library(emulator, folder)
        opened = open_project(folder, emulator, **RAW)
        yield opened
        opened.worker.close()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same shop on DuckDB."""
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
def first(project: SnowflakeProject, local: Path) -> list[Entry]:
    """What the first build sent; DuckDB has built the same."""
    return build_both(project, local, shop())


@pytest.fixture(scope="module")
def features_then(first: list[Entry], project: SnowflakeProject) -> pa.Table:
    """The features of sessions in the first build: they have no history."""
    assert first
    return arrow(project, "select * from customer_insights.insights.session_features")


@pytest.fixture(scope="module")
def second(features_then: pa.Table, project: SnowflakeProject, local: Path) -> list[Entry]:
    """What the build a day later sent; DuckDB has built the same."""
    assert features_then
    return build_both(project, local, changed(shop()))


def build_both(project: SnowflakeProject, local: Path, tables: Tables) -> list[Entry]:
    put_raw(project.emulator, tables)
    put_raw_locally(local, tables)
    before = len(project.emulator.statements())
    project.dbt("--write-json", "build", *WITHOUT_TESTS)
    sent = project.emulator.statements(before)
    build_on_duckdb(local, *WITHOUT_TESTS, **RAW)
    return sent


def put_raw_locally(folder: Path, tables: Tables) -> None:
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute("create schema if not exists raw")
        for name, rows in tables.items():
            connection.register("made", rows)
            connection.execute(f"create or replace table raw.{name} as select * from made")


def apart(project: SnowflakeProject, local: Path) -> list[str]:
    return [
        str(difference)
        for name, schema in public_tables(project.target).items()
        if name not in OF_THE_CLOCK
        for difference in differences(
            name,
            rows_on_duckdb(local / "shop.duckdb", f"{schema}.{name}"),
            rows_on_snowflake(project.emulator, f"{schema}.{name}"),
        )
    ]


def arrow(project: SnowflakeProject, sql: str) -> pa.Table:
    """The rows of a query, columns in lower case."""
    with project.emulator.connection.cursor() as cursor:
        found = cursor.execute(sql).fetch_arrow_all()
    return found.rename_columns([name.lower() for name in found.column_names])


def decisions(project: SnowflakeProject) -> list[tuple[str, ...]]:
    return project.emulator.query(
        "select model_name, decision from customer_insights.insights.model_runs "
        "where model_name like 'purchase_intent%' order by model_name, decision_number"
    )


def test_a_first_build_gives_what_duckdb_gives(
    first: list[Entry], project: SnowflakeProject, local: Path
) -> None:
    assert first
    assert apart(project, local) == []
    assert [decision for _, decision in decisions(project)] == ["trained_promoted"] * 2
    # Two empty tables are equal too.
    empty = {
        name
        for name, schema in public_tables(project.target).items()
        if project.emulator.query(f"select count(*) from customer_insights.{schema}.{name}")
        == [(0,)]
    }
    assert empty == set(EMPTY)


def test_public_tables_have_the_same_columns_of_the_same_kinds(
    first: list[Entry], project: SnowflakeProject, local: Path
) -> None:
    assert first
    expected = columns_on_duckdb(local / "shop.duckdb", "insights")
    found = columns_on_snowflake(project.emulator, "customer_insights.insights")
    assert set(public_tables(project.target)) <= set(expected)
    assert found == expected


def test_each_node_of_a_first_build_sent_few_statements(first: list[Entry]) -> None:
    assert over_bounds(first) == {}
    assert len(first) <= STATEMENTS_OF_A_BUILD


def test_no_step_over_rows_reads_a_row_into_its_procedure(first: list[Entry]) -> None:
    found = applying(first)
    assert found == STEPS_OF_NODES
    assert {pair for pair in pairs_fetched(first) if pair[0] in found} == set()
    assert pairs_fetched(first) == {*TRAINED_FROM, *SHOWN_TO_THE_REGISTRY, *MEASURED}


def test_changed_rows_give_what_duckdb_gives(
    second: list[Entry], project: SnowflakeProject, local: Path
) -> None:
    assert second
    assert apart(project, local) == []
    for table, key, came in (
        ("session_features", "session_id", [("l-", 5), ("n-", 40)]),
        ("review_topics", "review_id", [("l-", 3), ("n-", 20)]),
        ("review_sentiment", "review_id", [("l-", 3), ("n-", 20)]),
    ):
        assert (
            project.emulator.query(
                f"select left({key}, 2), count(*) from customer_insights.insights.{table} "
                f"where {key} like 'n-%' or {key} like 'l-%' group by 1 order by 1"
            )
            == came
        ), table


@pytest.mark.parametrize("build", ["first", "second"])
def test_readers_may_select_what_is_public_and_nothing_else(
    build: str, project: SnowflakeProject, request: pytest.FixtureRequest
) -> None:
    """By the grants of deploy/snowflake: each view is another one after each build."""
    assert request.getfixturevalue(build)
    kinds = {
        (schema.lower(), name.lower()): kind
        for schema, name, kind in project.emulator.query(
            "select table_schema, table_name, table_type "
            "from customer_insights.information_schema.tables "
            "where table_schema <> 'INFORMATION_SCHEMA'"
        )
    }
    may_read = {
        (schema, name)
        for schema, name in kinds
        if may_select(project.emulator, READER, f"{schema}.{name}")
    }
    public = {(schema, name) for name, schema in public_tables(project.target).items()}
    assert may_read == {*public, *(("insights", name) for name in READABLE_TOO)}
    # Tables and views: no public table is dynamic, and of those that are none may be read.
    assert {kinds[place] for place in may_read} == {"BASE TABLE", "VIEW"}
    private = {schema for schema, _ in kinds} - {"insights"}
    assert {"insights_internal", "insights_staging", "raw"} <= private
    assert may_use(project.emulator, READER, "insights")
    assert not [schema for schema in private if may_use(project.emulator, READER, schema)]


def test_outcomes_that_became_final_measure_the_models_that_served(
    second: list[Entry], project: SnowflakeProject
) -> None:
    assert second
    measured = project.emulator.query(
        "select model_name from customer_insights.insights.model_performance "
        "where roc_auc is not null group by 1 order by 1"
    )
    assert measured == [("purchase_intent_after_session",), ("purchase_intent_in_session",)]


@pytest.mark.parametrize(("table", "at"), KEPT.items())
def test_what_was_made_of_rows_that_did_not_change_stays(
    second: list[Entry], project: SnowflakeProject, table: str, at: str
) -> None:
    assert second
    made = project.emulator.query(
        f"select count(*) from customer_insights.insights_internal.{table} "
        f"group by {at} order by {at}"
    )
    assert len(made) == 2
    assert made[0] > made[1]


def test_a_snapshot_closes_the_row_of_a_customer_who_changed(
    second: list[Entry], project: SnowflakeProject, local: Path
) -> None:
    assert second
    table = "insights_history.customer_history"
    expected, found = (
        sorted(
            (row["customer_id"], row["dbt_valid_to"] is None, row["plan"], row["location"])
            for row in rows
        )
        for rows in (
            rows_on_duckdb(local / "shop.duckdb", table),
            rows_on_snowflake(project.emulator, table),
        )
    )
    assert found == expected
    was = sorted(shop()["customers"].to_pylist(), key=itemgetter("customer_id"))[EDITED]
    customer, _, *values = next(row for row in found if not row[1])
    assert (customer, values) == (was["customer_id"], [was["plan"], was["location"]])
    assert sum(not row[1] for row in found) == 1
    assert (customer, True, "premium", "Oslo") in found


def test_a_finished_window_that_changed_keeps_both_values(
    second: list[Entry], project: SnowflakeProject, local: Path
) -> None:
    assert second
    table = "insights_history.data_quality_history"
    found = rows_on_snowflake(project.emulator, table)

    def comparable(rows: list[Row]) -> list[Row]:
        """Whether a value still holds in place of the times of two builds."""
        return [
            {name: value for name, value in row.items() if not name.startswith("dbt_")}
            | {"is_current": row["dbt_valid_to"] is None}
            for row in rows
        ]

    expected = rows_on_duckdb(local / "shop.duckdb", table)
    assert differences(table, comparable(expected), comparable(found)) == []
    month = (
        shop()["sessions"].sort_by("session_id")["started_at"][GONE].as_py().date().replace(day=1)
    )
    before, after = sorted(
        (
            row
            for row in found
            if (row["check_name"], row["subject"]) == ("volume", "sessions")
            and row["window_start_on"] == month
        ),
        key=itemgetter("dbt_valid_from"),
    )
    assert before["is_closed"]
    assert after["value"] == before["value"] + CHANGES["sessions"].late - 1
    assert before["dbt_valid_from"] < before["dbt_valid_to"] == after["dbt_valid_from"]
    assert after["dbt_valid_to"] is None


def test_a_training_set_is_rebuilt_from_the_labels_of_its_day(
    second: list[Entry], features_then: pa.Table, project: SnowflakeProject
) -> None:
    """After the label of one of its sessions changed and another session went."""
    assert second
    project.dbt("compile", "--select", "label_lineage")
    (lineage,) = project.target.glob("compiled/*/analyses/label_lineage.sql")
    of = "model_name = 'purchase_intent_in_session' and decision_number = 1"
    (decision,) = arrow(
        project,
        "select training_set_hash, feature_names, train_rows, validation_rows, test_rows "
        f"from customer_insights.insights.model_runs where {of}",
    ).to_pylist()
    labels = arrow(
        project,
        "select entity_id as session_id, split, is_positive, is_positive_now, is_changed "
        f"from ({lineage.read_text(encoding='utf-8')}) where {of}",
    )
    rows = labels.join(features_then, "session_id", join_type="inner").sort_by("session_id")
    assert len(rows) == sum(decision[f"{split}_rows"] for split in ("train", "validation", "test"))

    def rebuilt(label: str) -> str:
        features = json.loads(decision["feature_names"])
        chosen = rows.select(["session_id", "split", label, *features])
        names = ["session_id", "split", "is_purchase", *features]
        return training_set_hash(chosen.rename_columns(names))

    assert rebuilt("is_positive") == decision["training_set_hash"]
    assert rebuilt("is_positive_now") != decision["training_set_hash"]
    was = shop()["sessions"].sort_by("session_id").to_pylist()
    assert [
        (row["session_id"], row["is_positive"], row["is_positive_now"])
        for row in rows.to_pylist()
        if row["is_changed"]
    ] == [
        (was[EDITED]["session_id"], was[EDITED]["is_purchase"], True),
        (was[GONE]["session_id"], was[GONE]["is_purchase"], None),
    ]


def test_each_node_of_a_later_build_sent_few_statements(second: list[Entry]) -> None:
    assert over_bounds(second) == {}
    assert len(second) <= STATEMENTS_OF_A_BUILD


def test_no_step_over_changed_rows_reads_a_row_into_its_procedure(second: list[Entry]) -> None:
    found = applying(second)
    assert set(found) == set(STEPS_OF_NODES)
    assert {pair for pair in pairs_fetched(second) if pair[0] in found} == set()


def test_every_statement_of_a_build_says_which_build_it_is_of(
    first: list[Entry], second: list[Entry]
) -> None:
    """All but those that dbt sends as it connects, before there is a node; nobody else is there."""
    for sent in (first, second):
        tags = [tag_of(entry) for entry in sent]
        assert {tag.get("project") for tag in tags} == {"customer_insights"}
        assert len({tag["invocation_id"] for tag in tags if "invocation_id" in tag}) == 1
        connecting = [
            entry["sql"]
            for entry, tag in zip(sent, tags, strict=True)
            if "invocation_id" not in tag
        ]
        assert [sql for sql in connecting if not CONNECTING.match(sql)] == []
        assert len(connecting) <= STATEMENTS_OF_CONNECTING


def test_nothing_but_metadata_and_profiles_leaves_the_account(
    first: list[Entry], second: list[Entry]
) -> None:
    answers = answers_outside([*first, *second])
    assert {name for columns in answers for name in columns} == FETCHED
    assert max(answers.values()) <= FETCHED_AT_ONCE
    assert not [e for e in (*first, *second) if "external_access" in e["sql"].lower()]


def documents(project: SnowflakeProject) -> list[dict[str, Any]]:
    """The catalog, which is made where no test has made it, and the manifest of a build."""
    if not (project.target / "catalog.json").exists():
        project.dbt("--write-json", "docs", "generate", "--no-compile")
    return [
        json.loads((project.target / name).read_text(encoding="utf-8"))
        for name in ("catalog.json", "manifest.json")
    ]


def test_the_catalog_has_every_node_and_its_descriptions(project: SnowflakeProject) -> None:
    catalog, manifest = documents(project)
    expected = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed", "snapshot")
    }
    assert expected <= set(catalog["nodes"])
    assert catalog["errors"] is None
    for name in expected:
        node, found = manifest["nodes"][name], catalog["nodes"][name]
        assert found["metadata"]["comment"] == node["description"], node["name"]
        said = {column: each["comment"] or "" for column, each in found["columns"].items()}
        written = {column.upper(): each["description"] for column, each in node["columns"].items()}
        assert said == dict.fromkeys(said, "") | written, name


def operate(
    project: SnowflakeProject,
    operation: str,
    *arguments: str,
    check: bool = True,
    **settings: str,
) -> Answer:
    """Run an operation; what it sent, also until it stopped, is SQL that Snowflake takes."""
    described = documents(project)
    before = len(project.emulator.statements())
    answer = project.dbt("run-operation", operation, *arguments, env=settings, check=check)
    sent = assert_snowflake_takes_what_was_sent(project, described, before)
    assert sent or answer.exit_code != 0
    return answer


def assert_snowflake_takes_what_was_sent(
    project: SnowflakeProject, described: list[dict[str, Any]], since: int
) -> list[str]:
    """What was sent since a statement, those left out that failed; with the catalog of before."""
    entries = project.emulator.statements()
    sent = [entry["sql"] for entry in entries[since:] if entry["ok"]]
    # Tables of hooks, which the catalog does not have.
    made = [entry["sql"] for entry in entries[:since] if MADE_BY_HOOKS.match(entry["sql"])]
    problems = lint_statements([*made, *sent], *described, with_sqlfluff=False)
    assert problems == [], sentences(problems)
    return sent


def columns_that_hold(project: SnowflakeProject, *texts: str) -> set[str]:
    """Every column of every table and view that holds one of the texts as a part of a value."""

    def holds(column: str) -> str:
        return " or ".join(f"contains({column}, '{text}')" for text in texts)

    asked = [
        f"select '{table}.{name}' as place, count(*) as found from customer_insights.{table} "
        f"where {holds(name)}"
        for table, name in project.emulator.query(
            "select table_schema || '.' || table_name, column_name "
            "from customer_insights.information_schema.columns where data_type = 'TEXT' "
            "and table_schema <> 'INFORMATION_SCHEMA' order by 1, 2"
        )
    ]
    rows = project.emulator.query(" union all ".join(asked))
    return {place for place, found in rows if found}


@pytest.mark.long
def test_a_customer_who_is_erased_is_in_no_table(project: SnowflakeProject) -> None:
    """Long, because every column of every table is looked through, four times."""
    # Also where the second build came before: what a month was measured by does not go altogether.
    put_raw(project.emulator, changed(shop()))
    project.dbt("--write-json", "build", *WITHOUT_TESTS)
    ((customer,),) = project.emulator.query(
        "select customer_id from customer_insights.raw.reviews "
        "join customer_insights.raw.orders using (customer_id) "
        "group by 1 order by count(*) desc, 1 limit 1"
    )
    before = columns_that_hold(project, customer)
    assert len(before) >= 30
    assert {
        "RAW.ORDERS.CUSTOMER_ID",
        "INSIGHTS_STAGING.CHECKED_ORDERS.CUSTOMER_ID",
        "INSIGHTS_HISTORY.CUSTOMER_HISTORY.CUSTOMER_ID",
        "INSIGHTS_INTERNAL.PURCHASE_INTENT_SCORED.CUSTOMER_ID",
        "INSIGHTS.PURCHASE_INTENT_SCORES.CUSTOMER_ID",
    } <= before
    call = ("forget_customer", "--args", json.dumps({"customer_id": customer}))
    # A build that runs would write the rows again.
    lock = "customer_insights.insights_internal.build_in_progress"
    project.emulator.execute(f"create table {lock} (locked boolean) comment = 'a build'")
    assert "Another build of these schemas" in operate(project, *call, check=False).output
    assert columns_that_hold(project, customer) == before
    project.emulator.execute(f"drop table {lock}")

    assert "may have learned from them" in operate(project, *call).output
    assert columns_that_hold(project, customer) == set()
    assert project.emulator.query(
        "select erasure_mode, customer_digest from customer_insights.insights_internal.erasures"
    ) == [("delete", None)]
    again = operate(project, *call, check=False)
    assert again.exit_code != 0
    assert f"No table holds customer {customer}, so nothing was erased." in again.output
    nasty = json.dumps({"customer_id": "\\' or 1=1 --"})
    answer = operate(project, "forget_customer", "--args", nasty, check=False)
    assert "so nothing was erased" in answer.output
    project.dbt("build", *WITHOUT_TESTS)
    assert columns_that_hold(project, customer) == set()


@pytest.mark.long
def test_pseudonymised_orders_and_sessions_stay_without_the_person(
    project: SnowflakeProject,
) -> None:
    """Long, as the test before it, after which the shop is built; so it is after this one."""
    raw = "customer_insights.raw"
    emulator = project.emulator
    ((customer,),) = emulator.query(
        f"select customer_id from {raw}.reviews join {raw}.orders using (customer_id) "
        f"join {raw}.sessions using (customer_id) join {raw}.customers using (customer_id) "
        "group by 1 order by count(*) desc, 1 limit 1"
    )
    emulator.execute(
        # A column that no contract knows may say anything.
        f"alter table {raw}.customers add column mail varchar",
        f"update {raw}.customers set mail = 'anne@quillingham.example'",
    )
    ((reviews, *keys),) = emulator.query(
        "select count(distinct review_id), min(order_id), min(sessions.session_id) "
        f"from {raw}.reviews join {raw}.orders using (customer_id) "
        f"join {raw}.sessions using (customer_id) where customer_id = '{customer}'"
    )

    def kept() -> list[Any]:
        """What the books need: how much there is, and how much was paid."""
        counts = [
            emulator.query(f"select count(*) from {raw}.{table}")
            for table in ("customers", "orders", "order_items", "sessions")
        ]
        return [
            *counts,
            emulator.query(
                f"select sum(quantity * unit_price_amount) from {raw}.order_items "
                f"join {raw}.orders using (order_id)"
            ),
        ]

    def reviewed() -> int:
        return int(emulator.query(f"select count(*) from {raw}.reviews")[0][0])

    # The catalog is to have that column.
    (project.target / "catalog.json").unlink(missing_ok=True)
    before, all_reviews = kept(), reviewed()
    arguments = json.dumps({"customer_id": customer, "mode": "pseudonymise"})
    operate(project, "forget_customer", "--args", arguments)
    assert columns_that_hold(project, customer, *keys) == set()
    assert kept() == before
    assert reviewed() == all_reviews - reviews
    assert emulator.query(
        "select erasure_mode from customer_insights.insights_internal.erasures "
        "order by erased_at desc limit 1"
    ) == [("pseudonymise",)]
    ((orders, sessions, day, *attributes),) = emulator.query(
        "select count(distinct order_id), count(distinct sessions.session_id), "
        "day(max(signed_up_on)), max(gender), max(age), max(location), max(plan), max(mail) "
        f"from {raw}.customers "
        f"join {raw}.orders using (customer_id) join {raw}.sessions using (customer_id) "
        "where startswith(customer_id, 'erased-')"
    )
    assert orders > 1
    assert sessions > 1
    assert day == 1
    assert attributes == [None] * 5
    project.dbt("build", *WITHOUT_TESTS)
    assert columns_that_hold(project, customer) == set()


@pytest.mark.long
def test_a_full_refresh_gives_what_is_there_and_keeps_decisions(project: SnowflakeProject) -> None:
    """Each build decides and counts once more, which is all that a refresh adds."""
    project.dbt("--write-json", "build", *WITHOUT_TESTS)
    compared = set(public_tables(project.target)) - {*OF_THE_CLOCK, *ADDED_TO}
    before = {name: rows_on_snowflake(project.emulator, f"insights.{name}") for name in compared}
    decided = decisions(project)
    project.dbt("build", "--full-refresh", *WITHOUT_TESTS)
    assert [
        str(difference)
        for name, rows in before.items()
        for difference in differences(
            name, rows, rows_on_snowflake(project.emulator, f"insights.{name}")
        )
    ] == []
    assert len(decisions(project)) == len(decided) + 2


def left_behind(project: SnowflakeProject) -> list[str]:
    """What was made for a while and is still there; the stage of the library is to stay."""
    emulator = project.emulator
    tables = emulator.query(
        "select table_name from customer_insights.information_schema.tables "
        "where table_name ilike '%__dbt_%' or table_name ilike 'snowpark_temp%'"
    )
    found = [str(name) for (name,) in tables]
    for kind in ("stages", "file formats", "procedures", "user functions"):
        for _, name, *_ in emulator.query(f"show {kind} in database customer_insights"):
            if str(name).upper() not in STAY.get(kind, ()):
                found.append(f"{kind}: {name}")
    return found


def test_the_compiled_project_is_sql_that_snowflake_takes(project: SnowflakeProject) -> None:
    """All but its data tests; test_sample_build reads those too, and all with a second parser."""
    logs = [
        entry["sql"]
        for entry in project.emulator.statements()
        if re.match(r"(?i)\s*create table if not exists \S+\.run_log", entry["sql"])
    ]
    assert len(list((project.target / "run").rglob("*.sql"))) > 100
    problems = lint_project(project.target, logs[:1], with_sqlfluff=False)
    assert problems == [], sentences(problems)


def test_every_dynamic_table_is_described_and_may_be_refreshed_in_parts(
    project: SnowflakeProject,
) -> None:
    manifest = json.loads((project.target / "manifest.json").read_text(encoding="utf-8"))
    dynamic = {
        node["name"]: compiled(project.target, node)
        for node in manifest["nodes"].values()
        if node["config"]["materialized"] == "dynamic_table"
    }
    page = (PROJECT_DIR / "docs" / "snowflake.md").read_text(encoding="utf-8")
    _, _, listed = page.partition("| table | its query | incremental refresh |\n")
    rows = [line.split("|")[1:4] for line in listed.partition("\n\n")[0].splitlines()[1:]]
    described = {
        name: refresh.strip()
        for names, _, refresh in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    assert set(described) == set(dynamic)
    relations = read_relations(None, manifest)
    for name, path in dynamic.items():
        assert path is not None
        statement = Statement(name, path.read_text(encoding="utf-8"))
        (tree,) = statement.trees
        problems = list(check_body(statement, tree, "INCREMENTAL", relations))
        assert described[name].startswith("possible") == (problems == []), sentences(problems)


def test_nothing_is_left_behind(project: SnowflakeProject) -> None:
    assert left_behind(project) == []


def test_a_build_that_fails_half_way_leaves_nothing_and_the_next_one_recovers(
    first: list[Entry], project: SnowflakeProject
) -> None:
    assert first
    scored = "customer_insights.insights_internal.purchase_intent_scored"
    trained = "customer_insights.insights_internal.purchase_intent_trained"
    name = "purchase_intent_in_session"
    emulator = project.emulator

    def scores() -> set[tuple[Any, ...]]:
        found = emulator.query(
            f"select session_id, model_name, model_version, features_hash, score from {scored}"
        )
        assert len(found) == len(set(found))
        return set(found)

    before, made = decisions(project), scores()
    emulator.execute(
        f"delete from {scored} where model_name = '{name}' and model_version = ("
        f"select model_version from {trained} where model_name = '{name}' and is_champion "
        "qualify row_number() over (order by decision_number desc) = 1) and session_id in ("
        "select session_id from customer_insights.insights.session_features)"
    )
    left = sorted(emulator.query(f"select * from {scored}"), key=str)
    lacking = len(made) - len(left)
    # More than a batch, so that the function has answered one when it stops.
    assert lacking > ROWS_IN_MEMORY > ROWS_OF_A_BATCH

    for node, limits, said in (
        (
            "purchase_intent_scored",
            {"function_rows": ROWS_IN_MEMORY},
            "The model purchase_intent_scored needs more memory than its warehouse gives to Python",
        ),
        *(
            (
                node,
                # What was computed is in a table beside by then.
                {"no_credits_for": rf"merge into \S+\.{node}\b"},
                "has used up its credits; raise the quota of the resource monitor",
            )
            for node in ("purchase_intent_scored", "purchase_intent_trained")
        ),
    ):
        since = len(emulator.statements())
        with emulator.limited(**limits):
            answer = project.dbt("build", "--select", node, *WITHOUT_TESTS, check=False)
        assert answer.exit_code != 0
        assert answer.statuses[node] == "error"
        sentence = sentence_of(answer.messages[node])
        assert said in sentence
        assert "\n" not in sentence
        written = [
            entry
            for entry in emulator.statements(since)
            if entry["ok"]
            and entry["inside_procedure"]
            and re.match(rf"(?is)\s*create\b.*\b{node}__dbt_tmp\b", entry["sql"])
        ]
        assert len(written) == ("no_credits_for" in limits)
        assert sorted(emulator.query(f"select * from {scored}"), key=str) == left
        assert decisions(project) == before
        assert left_behind(project) == []

    both = ("purchase_intent_trained", "purchase_intent_scored")
    project.dbt("build", "--select", *both, *WITHOUT_TESTS)
    assert scores() == made
    assert len(decisions(project)) == len(before) + 2
    assert (
        emulator.query(
            f"select count(*), max(decision_number) - min(decision_number) + 1 from {trained} "
            "group by model_name having count(*) <> max(decision_number) - min(decision_number) + 1"
        )
        == []
    )


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            "* exclude score, cast(score as varchar) as score",
            ["an enforced contract that failed", "| SCORE", "data type mismatch"],
        ),
        ("* exclude score", ["invalid identifier", "SCORE"]),
    ],
)
def test_what_python_gives_breaks_no_public_contract(
    project: SnowflakeProject, columns: str, said: list[str]
) -> None:
    """dbt has none for Python models, so the view that others read has it; that one stays.

    https://docs.getdbt.com/reference/resource-configs/contract
    """
    table = "customer_insights.insights_internal.purchase_intent_scored"
    kept = "customer_insights.insights_internal.kept_scores"
    build = ("run", "--select", "purchase_intent_scores")
    before = sorted(project.emulator.query(f"select * from {SCORES}"), key=str)
    project.emulator.execute(
        f"alter table {table} rename to kept_scores",
        f"create table {table} as select {columns} from {kept}",
    )
    answer = project.dbt(*build, check=False)
    project.emulator.execute(f"drop table {table}", f"alter table {kept} rename to {table}")
    assert answer.statuses["purchase_intent_scores"] == "error"
    message = answer.messages["purchase_intent_scores"]
    assert [words for words in said if words not in message] == []
    assert sorted(project.emulator.query(f"select * from {SCORES}"), key=str) == before


def test_a_second_build_at_once_is_told_to_wait(project: SnowflakeProject) -> None:
    lock = "customer_insights.insights_internal.build_in_progress"
    before = decisions(project)
    project.emulator.execute(f"create table {lock} (locked boolean) comment = 'the first build'")
    answer = project.dbt("build", *WITHOUT_TESTS, check=False)
    assert answer.exit_code != 0
    assert "Another build of these schemas (the first build) has been running" in answer.output
    assert "release_build_lock" in answer.output
    # The one that holds it goes on holding it, and nothing was built.
    assert project.emulator.query(f"select count(*) from {lock}") == [(0,)]
    assert decisions(project) == before
    operate(project, "release_build_lock")
    project.dbt("build", "--select", "run_context")
    left = project.emulator.query(
        "show tables like 'build_in_progress' in database customer_insights"
    )
    assert left == []


def test_retention_takes_what_is_old_and_out_of_service(project: SnowflakeProject) -> None:
    internal = "customer_insights.insights_internal"
    tables = [f"{internal}.purchase_intent_{what}" for what in ("scored", "explained")]
    made = {"long ago": "'2020-01-01'::timestamp_ntz", "lately": "current_timestamp()"}

    def rows(condition: str) -> list[Any]:
        return [
            sorted(project.emulator.query(f"select * from {table} where {condition}"), key=str)
            for table in tables
        ]

    ((serving,),) = project.emulator.query(
        "select model_version from customer_insights.insights.serving_versions "
        "where model_name = 'purchase_intent_in_session'"
    )
    aged = "model_version in ('long ago', 'lately')"
    scored, explained = tables
    project.emulator.execute(
        f"update {scored} set scored_at = {made['long ago']} where model_version = '{serving}'"
    )
    served = rows(f"not {aged}")
    assert any(row for row in served[0] if serving in row)
    project.emulator.execute(
        *(
            f"insert into {scored} select * replace ('{version}' as model_version, "
            f"{time} as scored_at) from {scored} where not {aged} "
            f"and session_id in (select entity_id from {explained})"
            for version, time in made.items()
        ),
        *(
            f"insert into {explained} select * replace ('{version}' as model_version) "
            f"from {explained} where not {aged}"
            for version in made
        ),
    )
    assert all(map(len, rows("model_version = 'long ago'")))
    lately = rows("model_version = 'lately'")
    assert "Nothing to delete" in operate(project, "apply_retention").output
    assert all(map(len, rows("model_version = 'long ago'")))
    operate(project, "apply_retention", SCORE_RETENTION_DAYS="400")
    assert rows("model_version = 'long ago'") == [[], []]
    assert rows("model_version = 'lately'") == lately
    assert rows(f"not {aged}") == served
    project.emulator.execute(*(f"delete from {table} where {aged}" for table in tables))


def test_a_person_rolls_back_pins_and_unpins_between_builds(project: SnowflakeProject) -> None:
    table = "customer_insights.insights_internal.purchase_intent_trained"
    name = "purchase_intent_in_session"
    # Whatever it says, it is a text: a backslash would escape the quote after it.
    who = {"model": name, "who": "Ana O'Neil", "why": "it's \\'; {{ 1 / 0 }} -- \\"}
    project.emulator.execute(
        f"create table older as select * from {table} "
        f"where model_name = '{name}' and decision_number = 1",
        "update older set decision_number = 0, model_version = 'older'",
        f"insert into {table} select * from older",
        "drop table older",
    )

    def change(operation: str, **arguments: str) -> str:
        given = {"model": name} | arguments if "entity" in arguments else who | arguments
        return operate(project, operation, "--args", json.dumps(given), check=False).output

    def newest() -> list[tuple[str, ...]]:
        return project.emulator.query(
            f"select decision, model_version, reason, is_champion, artifact from {table} "
            f"where model_name = '{name}' order by decision_number desc limit 1"
        )

    def default_version() -> str:
        """Of the registry, which `predict` without a version calls."""
        model = f"customer_insights.insights_internal.{name}"
        with project.emulator.connection.cursor(DictCursor) as cursor:
            shown = cursor.execute(f"show versions in model {model}").fetchall()
        (version,) = (row["name"] for row in shown if row["is_default_version"] == "true")
        return str(version)

    ((_, serving, *_),) = newest()
    assert default_version() == f"V{serving}".upper().replace("-", "_")
    ((session_id,),) = project.emulator.query(
        f"select min(session_id) from {SCORES} where model_name = '{name}'"
    )
    lineage = change("print_label_lineage", entity=session_id, labels="2")
    assert f"{name} scored {session_id} as of" in lineage
    assert f"by version {serving}" in lineage
    assert "definition 1, source row" in lineage
    lock = "customer_insights.insights_internal.build_in_progress"
    project.emulator.execute(f"create table {lock} (locked boolean) comment = 'a build'")
    assert "Another build of these schemas (a build)" in change("pin_model")
    project.emulator.execute(f"drop table {lock}")
    assert "has no version 'v9'; its versions are" in change("rollback_model", version="v9")
    before = decisions(project)
    change("rollback_model", version="older")
    reason = f"rolled back from {serving} by {who['who']}: {who['why']}"
    assert newest() == [("rolled_back", "older", reason, True, None)]
    assert len(decisions(project)) == len(before) + 1
    assert "is pinned already" in change("pin_model")
    registry = ("purchase_intent_trained", "purchase_intent_registered")
    project.dbt("build", "--select", *registry, *WITHOUT_TESTS)
    assert newest()[0][:2] == ("pinned", "older")
    assert default_version() == "VOLDER"
    assert project.emulator.query(
        "select model_version, status from "
        "customer_insights.insights_internal.purchase_intent_registered "
        f"where model_name = '{name}' and is_default"
    ) == [("older", "serving")]
    change("unpin_model")
    assert newest()[0][:2] == ("unpinned", "older")
    project.emulator.execute(
        f"create or replace table kept as select * from {table}",
        f"update {table} set artifact = to_binary('00', 'HEX') where artifact is not null",
    )
    assert "was changed after it was written" in change("rollback_model", version=serving)
    project.emulator.execute(
        f"create or replace table {table} as select * from kept", "drop table kept"
    )
    left = project.emulator.query(
        "show tables like 'build_in_progress' in database customer_insights"
    )
    assert left == []


@pytest.mark.long
def test_the_next_build_tries_what_a_search_found(project: SnowflakeProject) -> None:
    """Long: where a model is searched for there are more models, and dbt parses them anew."""
    model = "purchase_intent_after_session"
    described = documents(project)
    before = len(project.emulator.statements())
    shown = typed(
        project,
        *("tune", "--model", model),
        TUNING_TRIALS="2",
        TUNING_FOLDS="2",
        DBT_EXCLUDE_RESOURCE_TYPES="test unit_test",
    )
    trials = rows_on_snowflake(project.emulator, "insights.tuning_trials")
    trials.sort(key=itemgetter("trial_number"))
    assert [(row["model_name"], row["trial_number"]) for row in trials] == [(model, 0), (model, 1)]
    (best,) = [row for row in trials if row["is_best"]]
    assert best["value"] == max(row["value"] for row in trials) > 0
    assert f"Study {best['study_id']}: 2 trials of {model}\n" in shown
    assert f"{trials[0]['primary_metric']} {trials[0]['value']:.4f} on the folds" in shown
    assert assert_snowflake_takes_what_was_sent(project, described, before)

    # Whatever was best: trial 0 has the project's own parameters, with which there is nothing new.
    project.emulator.execute(
        "update customer_insights.insights_internal.purchase_intent_tuned "
        "set is_best = (trial_number = 1)"
    )
    project.dbt("build", "--select", "purchase_intent_trained", *WITHOUT_TESTS)
    *_, decided = sorted(
        (
            row
            for row in rows_on_snowflake(project.emulator, "insights.model_runs")
            if row["model_name"] == model
        ),
        key=itemgetter("decision_number"),
    )
    assert decided["decision"] in ("trained_promoted", "trained_rejected")
    found = json.loads(decided["parameters"])
    assert found["tuning_study"] == best["study_id"]
    assert json.loads(trials[1]["parameters"]).items() <= found.items()


def test_a_card_of_each_model_that_serves_says_what_the_tables_say(
    project: SnowflakeProject, tmp_path: Path
) -> None:
    typed(project, "cards", "--folder", str(tmp_path))
    runs = sorted(
        rows_on_snowflake(project.emulator, "insights.model_runs"),
        key=itemgetter("decision_number"),
    )
    champions = {row["model_name"]: row["model_version"] for row in runs if row["is_champion"]}
    assert {path.stem for path in tmp_path.glob("*.md")} == {*champions, "README", "_site"}
    assert len(champions) == 4
    groups = rows_on_snowflake(project.emulator, "insights.protected_slices")
    moved = rows_on_snowflake(project.emulator, "insights.feature_importance")
    shown_of = {"groups": 0, "features": 0}
    for name, version in champions.items():
        page = (tmp_path / f"{name}.md").read_text(encoding="utf-8")
        assert f"Version in service: {version}. " in page
        own = [row for row in runs if (row["model_name"], row["model_version"]) == (name, version)]
        trained = [row for row in own if row["decision"] == "trained_promoted"][-1]
        value, low, high = (trained[f"roc_auc{end}"] for end in ("", "_low", "_high"))
        assert f"| ROC-AUC | {value:.3f} [{low:.3f}, {high:.3f}] | 0.5 by definition |" in page
        assert (
            f"| test on | {trained['test_from_on']} | {trained['test_to_on']} "
            f"| {trained['test_rows']:,} | {trained['test_positives']:,} |"
        ) in page
        assert f"| {trained['artifact_sha256']} |" in page
        for row in groups:
            if (row["model_name"], row["model_version"]) == (name, version) and row["positives"]:
                shown_of["groups"] += 1
                assert (
                    f"| {row['column_name']} | {row['slice']} | {row['test_rows']:,} "
                    f"| {row['expected_rate']:.3f} |"
                ) in page
        for row in moved:
            if (row["model_name"], row["model_version"]) == (name, version):
                shown_of["features"] += 1
                size, rows = row["mean_absolute_contribution"], row["named_rows"]
                assert f"| {row['feature']} | {size:.3f} | {rows:,} |" in page
    assert min(shown_of.values()) > 0


def test_alerts_are_sent_once_by_a_notification_integration(project: SnowflakeProject) -> None:
    message = 'C:\\temp: "more"\nof {{ 1 / 0 }}; it\'s SNOWFLAKE_WEBHOOK_SECRET'
    found = "customer_insights.insights_internal.alerts_found"
    project.emulator.execute(
        f"insert into {found} (alert_id, kind, subject, message) "
        f"values ('{'a' * 32}', 'slow_node', 'n', {literal(message)})"
    )
    ((count,),) = project.emulator.query("select count(*) from customer_insights.insights.alerts")

    def send(**arguments: str) -> tuple[str, list[dict[str, Any]]]:
        """What is said, and what would be posted."""
        before = len(project.emulator.statements())
        call = ("send_alerts_by_notification_integration", "--args", json.dumps(arguments))
        answer = operate(project, *call, check=False)
        entries = project.emulator.statements()[before:]
        return answer.output, [sent for entry in entries for sent in entry.get("notifications", [])]

    output, sent = send()
    assert "'CUSTOMER_INSIGHTS_ALERT_WEBHOOK' does not exist or not authorized" in output
    assert sent == []
    webhook = (PROJECT_DIR / "deploy" / "snowflake" / "70_alert_webhook.sql").read_text()
    for statement in webhook.replace("<% webhook_secret %>", "T0/B0/x").split(";")[:-1]:
        project.emulator.execute(statement)
    output, sent = send(integration="x'), system$wait(1)")
    assert "is no plain name of an integration" in output
    output, sent = send()
    assert f"{count} alerts sent." in output
    assert len(sent) == count
    (text,) = [one["body"]["text"] for one in sent if "temp" in one["body"]["text"]]
    assert text.startswith("info: C: temp: 'more' of {{ 1 / 0 }}; it's REDACTED Look in")
    output, sent = send()
    assert "0 alerts sent." in output
    assert sent == []


def test_a_severe_alert_fails_the_build_after_everything_is_stored(
    project: SnowflakeProject,
) -> None:
    emulator = project.emulator
    emulator.execute(
        "update customer_insights.raw.sessions set administrative_duration = -1 "
        "where started_at >= (select dateadd('day', -40, max(started_at)) "
        "from customer_insights.raw.sessions)"
    )
    stored = (
        *("checked_sessions", "source_watermarks", "data_quality_counted"),
        *("data_quality_computed", "data_quality", "alerts_found", "alerts"),
    )
    severe = "assert_no_alert_is_severe"
    only = ("--indirect-selection", "empty")
    answer = project.dbt("build", "--select", *stored, severe, *only, check=False)
    assert answer.exit_code == 1
    statuses = {name: s for name, s in answer.statuses.items() if "-on-run-" not in name}
    assert statuses == dict.fromkeys(stored, "success") | {severe: "error"}
    ((message, remedy),) = emulator.query(
        "select message, remedy from customer_insights.insights.alerts where severity = 'error'"
    )
    assert message.startswith("sessions: 0.00 % of rows accepted, less than ")
    assert sentence_of(answer.messages[severe]) == f"{message} {remedy}"
    ((quality,),) = emulator.query(
        "select value from customer_insights.insights.data_quality "
        "where check_name = 'validity' and subject = 'sessions' and is_failing is not null "
        "order by window_start_on desc limit 1"
    )
    assert quality == 0
    # Of the run itself, too.
    logged = emulator.query(
        "select split_part(node, '.', 3), status from customer_insights.insights.pipeline_runs "
        "where run_started_at = (select max(run_started_at) "
        "from customer_insights.insights.pipeline_runs)"
    )
    assert sorted(logged) == sorted([*statuses.items(), ("", "error")])


def test_alerts_arrive_once_at_a_webhook(project: SnowflakeProject) -> None:
    """Those that are new since the integration sent some, the severe one among them."""

    def ids(table: str) -> set[str]:
        return {key for (key,) in project.emulator.query(f"select alert_id from {table}")}

    sent = "customer_insights.insights_internal.sent_alerts"
    found = {row["alert_id"]: row for row in rows_on_snowflake(project.emulator, "insights.alerts")}
    known = ids(sent)
    new = set(found) - known
    assert "error" in {found[key]["severity"] for key in new}
    described = documents(project)
    before = len(project.emulator.statements())
    with listening() as received:
        outputs = [typed(project, "notify", ALERT_WEBHOOK_URL=received.url) for _ in range(2)]
    assert sorted(received.keys) == sorted(new)
    for alert in received.alerts:
        row = found[alert["alert_id"]]
        assert alert == row | {
            "window_end_on": str(row["window_end_on"]),
            "text": f"{row['severity']}: {row['message']} {row['remedy']}",
        }
    assert f"{len(new)} alerts sent." in outputs[0]
    assert "No new alerts." in outputs[1]
    assert ids(sent) == known | new
    assert assert_snowflake_takes_what_was_sent(project, described, before)
    logged = "".join(path.read_text() for path in project.folder.glob("typed/logs/*"))
    assert "h00k-secret" not in logged + "".join(outputs)


@pytest.fixture(scope="module")
def failed(project: SnowflakeProject) -> list[Entry]:
    """What a build sent whose sessions can not be read; of reviews nothing is new."""
    project.emulator.execute(
        "alter table customer_insights.raw.sessions rename to hidden_sessions",
        "create table customer_insights.raw.sessions as "
        "select * exclude started_at, 'no time' as started_at "
        "from customer_insights.raw.hidden_sessions",
    )
    before = len(project.emulator.statements())
    answer = project.dbt("build", *WITHOUT_TESTS, check=False)
    assert answer.exit_code != 0
    assert "no time" in answer.messages["checked_sessions"]
    return project.emulator.statements(before)


def test_a_build_that_fails_is_logged_node_by_node(
    failed: list[Entry], project: SnowflakeProject
) -> None:
    (invocation,) = {tag["invocation_id"] for tag in map(tag_of, failed) if "invocation_id" in tag}
    logged = {
        row["node"]: row
        for row in rows_on_snowflake(project.emulator, "insights.pipeline_runs")
        if row["invocation_id"] == invocation
    }
    # What it failed on is somebody's.
    assert "no time" not in str(logged)
    run = logged.pop("invocation")
    assert (run["status"], run["message"]) == ("error", "dbt build")
    _, manifest = documents(project)
    nodes = manifest["nodes"]
    built = {name for name in nodes if not name.startswith(("test.", "operation.", "analysis."))}
    # Exposures, too, which nothing builds, are told that they have to wait.
    named = built | set(manifest["exposures"])
    broken = "model.customer_insights.checked_sessions"
    below: set[str] = set()
    reached = [broken]
    while reached:
        children = set(manifest["child_map"][reached.pop()]) & named - below
        below |= children
        reached += children
    expected = dict.fromkeys(built, "success") | dict.fromkeys(named - built, "no-op")
    expected |= dict.fromkeys(below, "skipped") | {broken: "error"}
    assert {name: row["status"] for name, row in logged.items()} == expected
    assert re.match(r"Database Error, \d{6} ", logged[broken]["message"])
    assert all(logged[name]["seconds"] > 0 for name in built - below)
    tables = {
        f"{schema}.{name}".lower()
        for schema, name in project.emulator.query(
            "select table_schema, table_name from customer_insights.information_schema.tables "
            "where table_type = 'BASE TABLE'"
        )
    }
    places = {
        name: f"{nodes[name]['schema']}.{nodes[name]['alias']}" for name in built - below - {broken}
    }
    counted = dict(
        project.emulator.query(
            " union all ".join(
                f"select '{name}', count(*) from customer_insights.{place}"
                for name, place in places.items()
                if place in tables
            )
        )
    )
    assert counted["model.customer_insights.checked_orders"] > 0
    assert {name: row["row_count"] for name, row in logged.items()} == {
        name: counted.get(name) for name in named
    }


def test_a_build_that_fails_gives_its_lock_back(
    failed: list[Entry], project: SnowflakeProject
) -> None:
    assert failed
    left = project.emulator.query(
        "show tables like 'build_in_progress' in database customer_insights"
    )
    assert left == []
    assert left_behind(project) == []


def test_a_build_that_fails_learns_and_reads_nothing_of_what_is_not_new(
    failed: list[Entry],
) -> None:
    looked = {node_of(entry) for entry in failed if entry["inside_procedure"]}
    assert {"topics_trained", "review_sentiment_trained"} < looked
    assert {node for node in STEPS_OF_NODES if node.startswith("review_")} < looked
    assert applied(failed) == set()
    assert pairs_fetched(failed) <= READ_AGAIN
    assert over_bounds(failed) == {}
