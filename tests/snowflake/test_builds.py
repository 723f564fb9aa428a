"""Builds of a shop whose raw tables change: what the emulator then holds is what DuckDB holds.

One shop lives through it all, so the tests of this file run in their order.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from emulator.client import start_emulator
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
    set_up_account,
    stage_library,
)

from customer_insights.comparison import OF_THE_CLOCK, differences
from customer_insights.sample import RAW_SCHEMAS, ShopConfig, generate_blocks

RAW = {"SHOP_SOURCE": "raw", "MIN_TRAIN_ROWS": "300"}
SCORES = "customer_insights.insights.purchase_intent_scores"
Tables = dict[str, pa.Table]


def shop() -> Tables:
    (tables,) = generate_blocks(ShopConfig(scale=0.2))
    return {name: tables[name] for name in RAW_SCHEMAS}


def changed(tables: Tables) -> Tables:
    """The shop a day later: rows that came, came late, changed and went."""
    sessions = tables["sessions"].sort_by("session_id")
    newest = pc.max(sessions["started_at"])
    one_day = pa.scalar(86_400_000_000, pa.duration("us"))
    came = sessions.slice(0, 40)
    came = came.set_column(
        0, "session_id", pc.binary_join_element_wise("n", came["session_id"], "-")
    )
    place = came.schema.get_field_index("started_at")
    came = came.set_column(place, "started_at", pa.array([newest.as_py()] * 40, pa.timestamp("us")))
    came = came.set_column(place, "started_at", pc.add(came["started_at"], one_day))
    late = sessions.slice(100, 5)
    late = late.set_column(
        0, "session_id", pc.binary_join_element_wise("l", late["session_id"], "-")
    )
    went = sessions.slice(0, sessions.num_rows - 7)
    place = went.schema.get_field_index("exit_rates")
    edited = pc.if_else(
        pc.equal(went["session_id"], went["session_id"][10]), 0.123, went["exit_rates"]
    )
    went = went.set_column(place, went.schema.field(place), edited)
    parts = [part.cast(sessions.schema) for part in (went, came, late)]
    return tables | {"sessions": pa.concat_tables(parts)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeProject]:
    folder = tmp_path_factory.mktemp("builds")
    with start_emulator(folder / "account") as emulator:
        set_up_account(emulator)
        stage_library(emulator, folder)
        put_raw(emulator, shop())
        opened = open_project(folder, emulator, **RAW)
        yield opened
        opened.worker.close()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same shop on DuckDB."""
    folder = tmp_path_factory.mktemp("local")
    put_raw_locally(folder, shop())
    return folder


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


def decisions(project: SnowflakeProject) -> list[tuple[str, ...]]:
    return project.emulator.query(
        "select model_name, decision from customer_insights.insights.model_runs "
        "where model_name like 'purchase_intent%' order by model_name, decision_number"
    )


def test_a_first_build_gives_what_duckdb_gives(project: SnowflakeProject, local: Path) -> None:
    project.dbt("--write-json", "build", *WITHOUT_TESTS)
    build_on_duckdb(local, *WITHOUT_TESTS, **RAW)
    assert apart(project, local) == []
    assert [decision for _, decision in decisions(project)] == ["trained_promoted"] * 2


def test_changed_rows_give_what_duckdb_gives(project: SnowflakeProject, local: Path) -> None:
    tables = changed(shop())
    put_raw(project.emulator, {"sessions": tables["sessions"]})
    put_raw_locally(local, tables)
    project.dbt("build", *WITHOUT_TESTS)
    build_on_duckdb(local, *WITHOUT_TESTS, **RAW)
    assert apart(project, local) == []
    features = "customer_insights.insights.session_features"
    assert project.emulator.query(
        f"select left(session_id, 2), count(*) from {features} "
        "where session_id like 'n-%' or session_id like 'l-%' group by 1 order by 1"
    ) == [("l-", 5), ("n-", 40)]


def columns_that_hold(project: SnowflakeProject, text: str) -> set[str]:
    """Every column of every table and view that holds a text as a part of a value."""
    asked = [
        f"select '{table}.{name}' as place, count(*) as found from customer_insights.{table} "
        f"where contains({name}, '{text}')"
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
    project.dbt("build", *WITHOUT_TESTS)
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
    call = ("run-operation", "forget_customer", "--args", json.dumps({"customer_id": customer}))
    # A build that runs would write the rows again.
    lock = "customer_insights.insights_internal.build_in_progress"
    project.emulator.execute(f"create table {lock} (locked boolean) comment = 'a build'")
    assert "Another build of these schemas" in project.dbt(*call, check=False).output
    assert columns_that_hold(project, customer) == before
    project.emulator.execute(f"drop table {lock}")

    assert "may have learned from them" in project.dbt(*call).output
    assert columns_that_hold(project, customer) == set()
    assert project.emulator.query(
        "select erasure_mode, customer_digest from customer_insights.insights_internal.erasures"
    ) == [("delete", None)]
    again = project.dbt(*call, check=False)
    assert again.exit_code != 0
    assert f"No table holds customer {customer}, so nothing was erased." in again.output
    nasty = json.dumps({"customer_id": "\\' or 1=1 --"})
    answer = project.dbt("run-operation", "forget_customer", "--args", nasty, check=False)
    assert "so nothing was erased" in answer.output
    project.dbt("build", *WITHOUT_TESTS)
    assert columns_that_hold(project, customer) == set()


@pytest.mark.long
def test_a_full_refresh_keeps_decisions_and_scores(project: SnowflakeProject) -> None:
    before, count = decisions(project), f"select count(*) from {SCORES}"
    scores = project.emulator.query(count)
    project.dbt("build", "--full-refresh", *WITHOUT_TESTS)
    assert len(decisions(project)) == len(before) + 2
    assert project.emulator.query(count) == scores


def test_the_catalog_has_every_node(project: SnowflakeProject) -> None:
    project.dbt("--write-json", "docs", "generate", "--no-compile")
    catalog = json.loads((project.target / "catalog.json").read_text())
    manifest = json.loads((project.target / "manifest.json").read_text())
    expected = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed", "snapshot")
    }
    assert expected <= set(catalog["nodes"])
    assert catalog["errors"] is None
    for name in expected:
        assert all(column == column.upper() for column in catalog["nodes"][name]["columns"]), name


def test_nothing_is_left_behind(project: SnowflakeProject) -> None:
    left = project.emulator.query(
        "select table_schema, table_name from customer_insights.information_schema.tables "
        "where table_name ilike '%__dbt_%' or table_name ilike 'snowpark_temp%'"
    )
    assert left == []
    for kind in ("procedures", "user functions"):
        rows = project.emulator.query(f"show {kind} in database customer_insights")
        assert not [row for row in rows if "CUSTOMER_INSIGHTS_" in str(row[1]).upper()]


def test_a_procedure_that_fails_half_way_leaves_nothing_and_the_next_build_recovers(
    project: SnowflakeProject,
) -> None:
    table = "customer_insights.insights_internal.purchase_intent_trained"
    before = decisions(project)
    project.emulator.execute(
        f"create or replace table kept as select * from {table}",
        f"update {table} set artifact = to_binary('00', 'HEX') where artifact is not null",
    )
    build = ("build", "--select", "purchase_intent_trained", "purchase_intent_scored")
    answer = project.dbt(*build, *WITHOUT_TESTS, check=False)
    assert answer.exit_code != 0
    assert "was changed after it was written" in answer.output
    assert decisions(project) == before
    project.emulator.execute(
        f"create or replace table {table} as select * from kept", "drop table kept"
    )
    project.dbt(*build, *WITHOUT_TESTS)
    assert len(decisions(project)) == len(before) + 2


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
    project.dbt("run-operation", "release_build_lock")
    project.dbt("build", "--select", "run_context")
    left = project.emulator.query(
        "show tables like 'build_in_progress' in database customer_insights"
    )
    assert left == []


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
        call = ("run-operation", operation, "--args", json.dumps(given))
        return project.dbt(*call, check=False).output

    def newest() -> list[tuple[str, ...]]:
        return project.emulator.query(
            f"select decision, model_version, reason, is_champion, artifact from {table} "
            f"where model_name = '{name}' order by decision_number desc limit 1"
        )

    ((_, serving, *_),) = newest()
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
    project.dbt("build", "--select", "purchase_intent_trained", *WITHOUT_TESTS)
    assert newest()[0][:2] == ("pinned", "older")
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
        call = ("run-operation", "send_alerts_by_notification_integration")
        answer = project.dbt(*call, "--args", json.dumps(arguments), check=False)
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


def test_a_build_that_fails_gives_its_lock_back(project: SnowflakeProject) -> None:
    project.emulator.execute("alter table customer_insights.raw.sessions rename to hidden_sessions")
    project.emulator.execute(
        "create table customer_insights.raw.sessions as "
        "select * exclude started_at, 'no time' as started_at from hidden_sessions"
    )
    assert project.dbt("build", *WITHOUT_TESTS, check=False).exit_code != 0
    left = project.emulator.query(
        "show tables like 'build_in_progress' in database customer_insights"
    )
    assert left == []
