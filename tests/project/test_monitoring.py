"""What watches: the run log, data quality, alerts, and what sends them."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from conftest import PROJECT_DIR, DbtProject, create_dbt_project
from helpers import DbtWorker, Tables, change, copy_of, put_raw, rows_of, shop

from customer_insights.sample import ShopConfig
from webhook import Received, listening

SHOP = ShopConfig(scale=0.05)
EVENTS = {"sessions": "started_at", "orders": "ordered_at", "reviews": "created_at"}
# Models, tests left out, and no model that Python trains: `alerts` would need them all.
RUN = ("run", "--select", "+data_quality", "pipeline_runs", "runtime_trends")
LOG = "insights_internal.run_log"


@pytest.fixture(scope="module")
def dbt(dbt_without_texts: DbtWorker) -> DbtWorker:
    return dbt_without_texts


@pytest.fixture(scope="module")
def built(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    project = create_dbt_project(tmp_path_factory.mktemp("built"))
    put_raw(project, shop(SHOP))
    dbt.run(project, *RUN)
    return project


@pytest.fixture
def project(built: DbtProject, tmp_path: Path) -> DbtProject:
    return copy_of(built, tmp_path)


def until(tables: Tables, day: datetime) -> Tables:
    """What had happened before a day; order items of orders that had not go with them."""
    cut = dict(tables)
    for name, column in EVENTS.items():
        cut[name] = tables[name].filter(pc.less(tables[name][column], day))
    known = cut["orders"]["order_id"]
    items = tables["order_items"]
    cut["order_items"] = items.filter(pc.is_in(items["order_id"], value_set=known))
    customers = tables["customers"]
    cut["customers"] = customers.filter(pc.less(customers["signed_up_on"], day.date()))
    return cut


def quality(project: DbtProject, condition: str) -> list[dict[str, Any]]:
    return rows_of(
        project,
        f"select * from insights.data_quality where {condition} "
        "order by check_name, subject, window_start_on",
    )


def test_later_rows_change_no_earlier_window(
    dbt: DbtWorker, built: DbtProject, tmp_path: Path
) -> None:
    earlier = create_dbt_project(tmp_path)
    whole = shop(SHOP)
    newest = pc.max(whole["sessions"]["started_at"]).as_py()
    put_raw(earlier, until(whole, datetime(newest.year, newest.month - 3, 15)))
    dbt.run(earlier, *RUN)
    # Products are counted when they are loaded, which for the sample is after all events.
    closed = quality(earlier, "is_closed and table_name <> 'products'")
    assert {row["check_name"] for row in closed} == {
        "completeness",
        "uniqueness",
        "validity",
        "volume",
        "freshness",
    }
    last = max(row["window_end_on"] for row in closed)
    later = quality(
        built, f"is_closed and table_name <> 'products' and window_end_on <= date '{last}'"
    )
    assert closed == later


def test_what_is_wrong_with_the_newest_window_is_found(dbt: DbtWorker, project: DbtProject) -> None:
    change(
        project,
        # Not the last two days: those say how far the shop's data reach.
        "update raw.sessions set administrative_duration = -1 where started_at between "
        "(select date_trunc('month', max(started_at)) from raw.sessions) "
        "and (select max(started_at) - interval 2 day from raw.sessions)",
        "update raw.orders set customer_id = null "
        "where ordered_at >= (select date_trunc('month', max(ordered_at)) from raw.orders)",
        "delete from raw.reviews where created_at >= "
        "(select max(created_at) - interval 40 day from raw.reviews)",
    )
    # A small shop: a window has few orders.
    dbt.run(project, *RUN, env={"QUALITY_MIN_ROWS": "5"})
    failing = {(row["check_name"], row["subject"]): row for row in quality(project, "is_failing")}
    assert failing["validity", "sessions"]["value"] < 0.5
    assert failing["completeness", "orders.customer_id"]["value"] == 0
    assert failing["freshness", "reviews"]["value"] > 7
    reasons = quality(project, "reject_reason = 'negative_duration'")
    assert [row["value"] for row in reasons] == [
        pytest.approx(failing["validity", "sessions"]["value"])
    ]


def test_a_closed_window_that_changes_keeps_both_values_and_since_when(
    dbt: DbtWorker, project: DbtProject
) -> None:
    snapshot = ("snapshot", "--select", "data_quality_history")
    key = "check_name = 'validity' and subject = 'sessions'"
    window = quality(project, f"{key} and is_closed")[-1]
    day = f"date '{window['window_start_on']}'"
    dbt.run(project, *snapshot)
    change(
        project,
        "update raw.sessions set administrative_duration = -1 "
        f"where started_at >= {day} and started_at < {day} + interval 15 day",
    )
    dbt.run(project, *RUN)
    changed_at = datetime.now(UTC).replace(tzinfo=None)
    dbt.run(project, *snapshot)
    (after,) = quality(project, f"{key} and window_start_on = {day}")
    assert after["is_closed"]
    assert after["value"] < 0.8 < window["value"]
    history = f"select * from insights_history.data_quality_history where {key} "
    first, second = rows_of(
        project, f"{history} and window_start_on = {day} order by dbt_valid_from"
    )
    assert (first["value"], first["is_failing"]) == (window["value"], window["is_failing"])
    assert (second["value"], second["is_failing"]) == (after["value"], True)
    assert first["dbt_valid_from"] < changed_at < first["dbt_valid_to"]
    assert (second["dbt_valid_from"], second["dbt_valid_to"]) == (first["dbt_valid_to"], None)
    # What did not change has the value that it had.
    others = rows_of(project, f"{history} and window_start_on < {day}")
    assert others
    assert {row["dbt_valid_to"] for row in others} == {None}
    assert {row["dbt_valid_from"] for row in others} == {first["dbt_valid_from"]}


def test_the_log_says_how_many_rows_each_table_holds(built: DbtProject) -> None:
    logged = {
        row["node"].split(".")[-1]: row["row_count"]
        for row in rows_of(built, "select node, row_count from insights.pipeline_runs")
    }
    tables = built.query(
        "select table_schema || '.' || table_name, table_name from information_schema.tables "
        "where table_type = 'BASE TABLE'"
    )
    counts = {
        name: built.query(f"select count(*) from {table}")[0][0]
        for table, name in tables
        if name in logged
    }
    assert counts["checked_sessions"] > 1000
    assert logged == {name: counts.get(name) for name in logged}
    # Views, and the run itself.
    assert {"data_quality", "invocation"} <= logged.keys() - counts.keys()


def test_a_failed_run_is_logged_without_the_rows_it_failed_on(
    dbt: DbtWorker, project: DbtProject
) -> None:
    before = rows_of(project, f"select * from {LOG}")
    assert {row["node"] for row in before} >= {
        "invocation",
        "model.customer_insights.data_quality_counted",
    }
    change(
        project,
        "create or replace table raw.reviews as "
        "select * replace ('Dr. Secret''s \\ Zanzibar' as created_at) from raw.reviews",
    )
    answer = dbt.run(project, *RUN, check=False)
    assert answer.exit_code == 1
    assert "Secret" in answer.messages["checked_reviews"]
    after = rows_of(project, f"select * from {LOG}")
    run = {row["node"].split(".")[-1]: row for row in after if row not in before}
    assert len({row["invocation_id"] for row in run.values()}) == 1
    assert run["invocation"]["status"] == "error"
    assert run["checked_reviews"]["status"] == "error"
    assert run["checked_reviews"]["message"] == "Runtime Error, Conversion Error"
    assert run["data_quality"]["status"] == "skipped"
    assert run["checked_orders"]["status"] == "success"
    assert run["checked_orders"]["row_count"] > 0
    assert run["checked_reviews"]["row_count"] is None
    assert not [row for row in after if "Secret" in str(row) or "Zanzibar" in str(row)]


def test_a_log_that_cannot_be_written_fails_no_run(dbt: DbtWorker, project: DbtProject) -> None:
    change(project, f"drop table {LOG}", f"create table {LOG} (something integer)")
    answer = dbt.run(project, "run", "--select", "run_context")
    assert "this run is not logged" in answer.output
    assert project.query(f"select column_name from (describe {LOG})") == [("something",)]
    assert rows_of(project, f"select * from {LOG}") == []


def test_old_rows_of_the_log_are_deleted(dbt: DbtWorker, project: DbtProject) -> None:
    change(
        project,
        # As logs were before there were counts.
        f"alter table {LOG} drop column row_count",
        f"update {LOG} set run_started_at = timestamp '2020-01-01'",
    )
    for days, kept in (("null", True), ("400", False)):
        dbt.run(project, "run", "--select", "run_context", env={"RUN_LOG_DAYS": days})
        old = rows_of(project, f"select * from {LOG} where run_started_at < date '2021-01-01'")
        assert bool(old) == kept
        assert {row["row_count"] for row in old} <= {None}
    counted = f"select distinct row_count from {LOG} where node like '%.run_context'"
    assert rows_of(project, counted) == [{"row_count": 1}]


def test_what_does_not_build_is_not_logged(dbt: DbtWorker, project: DbtProject) -> None:
    before = rows_of(project, f"select * from {LOG}")
    dbt.run(project, "seed", "--select", "alert_vocabulary")
    assert rows_of(project, f"select * from {LOG}") == before


@pytest.fixture
def received() -> Iterator[Received]:
    with listening() as webhook:
        yield webhook


VERSION = "model_name varchar, model_version varchar"
WINDOW = f"{VERSION}, window_start_on date, window_end_on date"
WATCHED = {
    "serving_versions": VERSION,
    "model_performance": f"{WINDOW}, matured_rows bigint, primary_metric varchar, "
    "primary_value double, promotion_value double, fall_low double, has_fallen boolean",
    "slice_performance": f"{WINDOW}, slice varchar, matured_rows bigint, expected_rate double, "
    "observed_rate double, is_harmful boolean",
    "feature_drift": f"{WINDOW}, column_name varchar, brier_change double, "
    "brier_change_low double, is_drifted boolean",
    "recommendation_performance": "as_of_on date, matured_on date, segment varchar, "
    "customers bigint, ndcg_10 double, earlier_ndcg_10 double, has_fallen boolean",
}


def test_alerts_fail_the_build_where_severe_and_are_sent_once(
    dbt: DbtWorker, project: DbtProject, received: Received
) -> None:
    # What stands over models that Python trains is replaced: this is about what reads it, and
    # test_drift.py has alerts of real models.
    vocabulary = ("seed", "--select", "alert_vocabulary")
    dbt.run(project, *vocabulary)
    change(
        project,
        "create or replace view insights.model_runs as select 'churn' as model_name, "
        "'v1' as model_version, 1 as decision_number, 'not_enough_labels' as decision, "
        "false as is_champion, cast(null as date) as test_to_on",
        *(
            f"create or replace table insights.{name} ({columns})"
            for name, columns in WATCHED.items()
        ),
        "update raw.sessions set administrative_duration = -1 "
        "where started_at >= (select date_trunc('month', max(started_at)) from raw.sessions)",
    )
    dbt.run(project, *RUN)
    names = ("alerts_found", "alerts", "assert_no_alert_is_severe")
    answer = dbt.run(
        project, "build", "--select", *names, "--exclude-resource-type", "unit_test", check=False
    )
    assert answer.exit_code == 1
    assert answer.statuses["alerts"] == "success"
    assert "sessions: 0.00 % of rows accepted" in answer.messages["assert_no_alert_is_severe"]
    found = rows_of(project, "select * from insights.alerts")
    assert {"rows_refused", "not_enough_labels"} <= {row["kind"] for row in found}

    outputs = [notify(project, received.url) for _ in range(2)]
    assert sorted(received.keys) == sorted(row["alert_id"] for row in found)
    assert f"{len(found)} alerts sent." in outputs[0]
    assert "No new alerts." in outputs[1]
    assert "secret" not in "".join(outputs)
    logged = "".join(path.read_text() for path in (project.folder / "logs").glob("*"))
    assert "h00k-secret" not in logged


def notify(project: DbtProject, url: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-m", "customer_insights", "notify"],
        cwd=PROJECT_DIR,
        env=project.environment({})
        | {
            "ALERT_WEBHOOK_URL": url,
            "DUCKDB_PATH": str(project.database),
            "SHOP_SOURCE": "raw",
            "DBT_PROFILES_DIR": str(project.folder),
            "DBT_TARGET_PATH": str(project.folder / "target"),
            "DBT_LOG_PATH": str(project.folder / "logs"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr
