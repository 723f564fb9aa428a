"""Whether monitoring says what is so: no drift where there is none, harm where there is harm."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import DbtWorker
from scipy.stats import norm
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

Counts = npt.NDArray[np.int64]

# --- drift: simulated counts through the SQL that every drift table uses -------------------------

TRIALS = 2000
ROWS = [200, 450, 1000, 3000, 10_000, 100_000]
REFERENCE_ROWS = 20_000
# Tenths of a number, a count that is mostly zero, categories some of which are rare.
SPREADS = {
    "tenths": [0.1] * 10,
    "mostly_zero": [0.78, 0.1, 0.05, 0.03, 0.02, 0.02],
    "categories": [0.5, 0.3, 0.1, 0.05, 0.03, 0.015, 0.005],
}
MEASURED = """with

binned as (select * from simulated),

{{ drift_measures('binned', ['spread', 'row_count', 'trial']) }}

select *, psi > psi_threshold as is_drifted from drift
"""


def binned(spread: str, rows: int, trial: int, reference: Counts, current: Counts) -> pa.Table:
    bins = len(reference)
    return pa.table(
        {
            "spread": [spread] * bins,
            "row_count": [rows] * bins,
            "trial": [trial] * bins,
            "bin": np.arange(bins),
            "mean_value": np.arange(bins, dtype=np.float64),
            "reference_rows": reference,
            "current_rows": current,
            "test_rows": reference,
            "test_squared_error": reference * 0.1,
        }
    )


@pytest.fixture(scope="module")
def measure(dbt: DbtWorker, module_dbt_project: DbtProject) -> str:
    """The SQL that measures drift, compiled."""
    answer = dbt.run(module_dbt_project, "compile", "--inline", MEASURED)
    return answer.output[answer.output.index("with\n\nbinned") :]


def measured(measure: str, simulated: pa.Table, columns: str) -> list[tuple[float, ...]]:
    with duckdb.connect() as connection:
        connection.register("simulated", simulated)
        return connection.execute(f"select {columns} from ({measure}) group by all").fetchall()


def test_without_drift_an_alarm_is_rarer_than_once_in_a_hundred(measure: str) -> None:
    generator = np.random.default_rng(20240101)
    tables = []
    for (spread, shares), rows in product(SPREADS.items(), ROWS):
        reference = generator.multinomial(REFERENCE_ROWS, shares, TRIALS)
        current = generator.multinomial(rows, shares, TRIALS)
        tables += [
            binned(spread, rows, trial, reference[trial], current[trial]) for trial in range(TRIALS)
        ]
    shares_of_alarms = measured(
        measure, pa.concat_tables(tables), "spread, row_count, avg(is_drifted::int) as share"
    )

    assert len(shares_of_alarms) == len(SPREADS) * len(ROWS)
    assert max(share for *_, share in shares_of_alarms) <= 0.01, shares_of_alarms
    # It does sound: a threshold out of reach would pass the line above.
    assert np.mean([share for *_, share in shares_of_alarms]) > 0.0001


@pytest.mark.parametrize("rows", [3000, 100_000])
def test_a_shift_of_0_3_standard_deviations_is_found(measure: str, rows: int) -> None:
    generator = np.random.default_rng(20240101)
    edges = norm.ppf(np.arange(1, 10) / 10)
    shifted = np.diff(norm.cdf(np.concatenate([[-np.inf], edges, [np.inf]]) - 0.3))
    reference = generator.multinomial(REFERENCE_ROWS, [0.1] * 10, 200)
    current = generator.multinomial(rows, shifted, 200)
    tables = [binned("tenths", rows, n, reference[n], current[n]) for n in range(200)]

    ((share,),) = measured(measure, pa.concat_tables(tables), "avg(is_drifted::int)")
    assert share >= 0.95


def test_measures_are_as_published(measure: str) -> None:
    reference, current = np.array([600, 300, 100]), np.array([300, 300, 400])
    ((psi, jensen_shannon, wasserstein, brier_change),) = measured(
        measure,
        binned("small", 1000, 0, reference, current),
        "psi, jensen_shannon, wasserstein, brier_change",
    )

    p, q = (reference + 0.5) / 1001.5, (current + 0.5) / 1001.5
    m = (p + q) / 2
    assert psi == pytest.approx(np.sum((q - p) * np.log(q / p)))
    assert jensen_shannon == pytest.approx(
        np.sum(p * np.log2(p / m) + q * np.log2(q / m)) / 2, rel=1e-9
    )
    # 0.3 of the rows moved by two bins, which lie one apart.
    assert wasserstein == pytest.approx(0.6)
    # Each bin errs alike, so no shift costs anything.
    assert brier_change == pytest.approx(0, abs=1e-12)


# --- the drill: a year of real sessions, month by month ------------------------------------------

DRILL = {"VALIDATION_DAYS": "60", "TEST_DAYS": "60", "TEXT_ENGINE": "none"}
MONITORED = ("build", "--select", "+path:models/monitoring", "--exclude-resource-type", "test")
AFTER = "purchase_intent_after_session"


class Drill:
    """The UCI sessions as they would have come: up to October, then November, then December."""

    def __init__(self, folder: Path, shared_data: Path) -> None:
        worker_folder = folder / "worker"
        worker_folder.mkdir(parents=True)
        self.project = create_dbt_project(folder)
        self._worker = DbtWorker(worker_folder, **DRILL)
        sessions = shared_data / "online_shoppers_intention.csv"
        self.run(
            "run-operation", "load_files", "--args", f"{{path: '{sessions}', table: sessions}}"
        )

    def run(self, *arguments: str, **env: str) -> Mapping[str, str]:
        return self._worker.run(self.project, *arguments, env=env).messages

    def build(self, as_of: str) -> Mapping[str, str]:
        return self.run(*MONITORED, "--exclude-resource-type", "unit_test", AS_OF=as_of)

    def close(self) -> None:
        self._worker.close()


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Drill]:
    made = Drill(tmp_path_factory.mktemp("drill"), shared_data)
    for as_of in ("2017-11-02", "2017-12-02", "2018-01-02"):
        made.build(as_of)
    yield made
    made.close()


def window(drill: Drill, table: str, columns: str, month: str, condition: str = "true") -> list:
    """Rows of the version that October's build promoted."""
    return drill.project.query(
        f"select {columns} from insights.{table} where model_name = '{AFTER}'"
        f" and model_version like '2017-10-31-%' and window_start_on = '2017-{month}-01'"
        f" and {condition} order by all"
    )


def test_november_falls_and_names_the_slice(drill: Drill) -> None:
    ((has_fallen, roc_auc, matured),) = window(
        drill, "model_performance", "has_fallen, roc_auc, matured_rows", "11"
    )
    assert has_fallen
    assert matured == 2998
    assert roc_auc < 0.85

    harmful = {row[0] for row in window(drill, "slice_performance", "slice", "11", "is_harmful")}
    assert "page_values = 0" in harmful
    ((psi, threshold),) = window(
        drill, "feature_drift", "psi, psi_threshold", "11", "column_name = 'page_values'"
    )
    # What the rule of thumb calls no drift at all.
    assert psi < 0.1
    assert threshold < psi


def test_december_drifts_and_does_no_harm(drill: Drill) -> None:
    drifted = {row[0] for row in window(drill, "feature_drift", "column_name", "12", "is_drifted")}
    assert {"traffic_type", "special_day"} <= drifted

    ((has_fallen, roc_auc),) = window(drill, "model_performance", "has_fallen, roc_auc", "12")
    assert has_fallen is False
    assert roc_auc > 0.88
    assert window(drill, "slice_performance", "slice", "12", "is_harmful") == []


def test_metrics_are_those_of_scikit_learn(drill: Drill) -> None:
    rows = drill.project.query(
        "select is_positive, score, is_predicted from insights_internal.scored_rows"
        f" where model_name = '{AFTER}' and model_version like '2017-10-31-%'"
        " and sample_role = 'new' and as_of_on between '2017-11-01' and '2017-11-30'"
    )
    labels, scores, predicted = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    names = ("roc_auc", "pr_auc", "brier", "f1", "precision", "recall")
    (found,) = window(drill, "model_performance", ", ".join(names), "11")

    assert dict(zip(names, found, strict=True)) == pytest.approx(
        {
            "roc_auc": roc_auc_score(labels, scores),
            "pr_auc": average_precision_score(labels, scores),
            "brier": brier_score_loss(labels, scores),
            "f1": f1_score(labels, predicted),
            "precision": precision_score(labels, predicted),
            "recall": recall_score(labels, predicted),
        },
        rel=1e-9,
    )


def test_intervals_are_near_those_of_resampling(drill: Drill) -> None:
    rows = drill.project.query(
        "select is_positive, score, is_predicted from insights_internal.scored_rows"
        f" where model_name = '{AFTER}' and model_version like '2017-10-31-%'"
        " and sample_role = 'new' and as_of_on between '2017-11-01' and '2017-11-30'"
    )
    labels, scores, predicted = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    generator = np.random.default_rng(20240101)
    drawn = [generator.integers(0, len(labels), len(labels)) for _ in range(500)]
    resampled = {
        "roc_auc": [roc_auc_score(labels[n], scores[n]) for n in drawn],
        "pr_auc": [average_precision_score(labels[n], scores[n]) for n in drawn],
        "f1": [f1_score(labels[n], predicted[n]) for n in drawn],
        "brier": [brier_score_loss(labels[n], scores[n]) for n in drawn],
    }
    for name, values in resampled.items():
        ((low, high),) = window(drill, "model_performance", f"{name}_low, {name}_high", "11")
        ends = np.quantile(values, [0.025, 0.975])
        assert [low, high] == pytest.approx(list(ends), abs=0.012), name


def test_an_empty_window_says_nothing(drill: Drill) -> None:
    rows = drill.project.query(
        "select roc_auc, f1, brier, has_fallen from insights.model_performance"
        " where matured_rows = 0"
    )
    assert set(rows) <= {(None, None, None, None)}


def test_closed_windows_are_not_computed_again(drill: Drill) -> None:
    """Marks that a window would lose if it were computed again; the last test of this drill."""
    marked = "select distinct window_start_on from insights_internal.{} where scored_rows < 0"
    with duckdb.connect(str(drill.project.database)) as connection:
        connection.execute(
            "update insights_internal.performance_measured set scored_rows = -scored_rows"
        )
        connection.execute("update insights_internal.monitored_bins set row_count = -row_count")
        windows = connection.execute(marked.format("performance_measured")).fetchall()
        # A label that changed concerns its window alone.
        connection.execute(
            "update raw.sessions set is_purchase = not is_purchase where session_id ="
            " (select min(session_id) from raw.sessions where started_at::date = '2017-11-10')"
        )
    drill.build("2018-01-02")

    november = {(date(2017, 11, 1),)}
    assert set(drill.project.query(marked.format("performance_measured"))) == (
        set(windows) - november
    )
    bins = "select min(row_count) < 0 from insights_internal.monitored_bins where window_start_on "
    assert drill.project.query(bins + "= '2017-11-01'") == [(False,)]
    assert drill.project.query(bins + "= '2017-12-01'") == [(True,)]
"""What watches: the run log, data quality, alerts, and what sends them."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from conftest import PROJECT_DIR, DbtProject, create_dbt_project
from helpers import DbtWorker, Tables, change, copy_of, put_raw, rows_of, shop

from customer_insights.sample import ShopConfig

SHOP = ShopConfig(scale=0.05)
EVENTS = {"sessions": "started_at", "orders": "ordered_at", "reviews": "created_at"}
# Models, tests left out, and no model that Python trains: `alerts` would need them all.
RUN = ("run", "--select", "+data_quality", "pipeline_runs", "runtime_trends")
LOG = "insights_internal.run_log"


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWorker]:
    worker = DbtWorker(tmp_path_factory.mktemp("dbt"), TEXT_ENGINE="none")
    yield worker
    worker.close()


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
        "select * replace ('Dr. Secret''s \\ 4711' as created_at) from raw.reviews",
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
    assert not [row for row in after if "Secret" in str(row) or "4711" in str(row)]


def test_a_log_that_cannot_be_written_fails_no_run(dbt: DbtWorker, project: DbtProject) -> None:
    change(project, f"drop table {LOG}", f"create table {LOG} (something integer)")
    answer = dbt.run(project, "run", "--select", "run_context")
    assert "this run is not logged" in answer.output
    assert rows_of(project, f"select * from {LOG}") == []


def test_old_rows_of_the_log_are_deleted(dbt: DbtWorker, project: DbtProject) -> None:
    change(project, f"update {LOG} set run_started_at = timestamp '2020-01-01'")
    for days, kept in (("null", True), ("400", False)):
        dbt.run(project, "run", "--select", "run_context", env={"RUN_LOG_DAYS": days})
        old = rows_of(project, f"select * from {LOG} where run_started_at < date '2021-01-01'")
        assert bool(old) == kept


def test_what_does_not_build_is_not_logged(dbt: DbtWorker, project: DbtProject) -> None:
    before = rows_of(project, f"select * from {LOG}")
    dbt.run(project, "test", "--select", "run_context")
    assert rows_of(project, f"select * from {LOG}") == before


@pytest.fixture
def received() -> Iterator[list[str]]:
    """The keys that a webhook was asked with; its address is in `received.url`."""
    keys: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Idempotency-Key"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    keys.append(f"http://127.0.0.1:{server.server_address[1]}/h00k-secret")
    yield keys
    server.shutdown()
    server.server_close()


def test_alerts_fail_the_build_where_severe_and_are_sent_once(
    dbt: DbtWorker, project: DbtProject, received: list[str]
) -> None:
    # The views over what Python trains are replaced by a table: this is about what reads them.
    vocabulary = ("seed", "--select", "alert_vocabulary")
    dbt.run(project, *vocabulary)
    change(
        project,
        "create or replace view insights.model_runs as select 'churn' as model_name, "
        "1 as decision_number, 'not_enough_labels' as decision, false as is_champion",
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

    url = received.pop()
    outputs = [notify(project, url) for _ in range(2)]
    assert sorted(received) == sorted(row["alert_id"] for row in found)
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
