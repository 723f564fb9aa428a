"""The same input gives the same tables, and what comes later changes nothing that was before."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import BUILD, DbtWorker, Tables, put_raw, rows_of, shop

from customer_insights.sample import RAW_SCHEMAS, ShopConfig

# Duplicate keys among its rows: which of them counts may not depend on their order either.
SHOP = ShopConfig(scale=0.2, scenario="broken_rows")

# On small data the library takes one thread whatever the setting says; here it takes what is set.
# The start of the run is moved by `CLOCK_DAYS` days.
PREAMBLE = """
import datetime, os
import customer_insights.settings
import dbt.tracking

customer_insights.settings.ROWS_WORTH_THREADS = 0

class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        days = int(os.environ.get("CLOCK_DAYS", "0"))
        return datetime.datetime.now(tz) + datetime.timedelta(days=days)

dbt.tracking.datetime = Clock
"""

# Bookkeeping: when a row was written, and what follows from it. No other column may differ.
BOOKKEEPING = {
    "assigned_at",
    "counted_at",
    "decided_at",
    "found_at",
    "scored_at",
    "detected_at",
    "observed_at",
    "dbt_scd_id",
    "dbt_updated_at",
    "dbt_valid_from",
    "dbt_valid_to",
    # Of all that a computed table reads, such times among it.
    "fingerprint",
}
# About the run itself, or of the clock.
OF_THE_RUN = {
    "insights_internal.run_context",
    "insights_internal.run_log",
    "insights.pipeline_runs",
    "insights.runtime_trends",
    "insights.text_scoring_runs",
}

PUBLIC = [
    "insights.churn_labels",
    "insights.churn_rates",
    "insights.customer_features",
    "insights.model_runs",
    "insights.product_candidates",
    "insights.product_recommendations",
    "insights.purchase_intent_scores",
    "insights.review_sentiment",
    "insights.score_explanations",
    "insights.session_features",
    "insights.session_labels",
]


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWorker]:
    worker = DbtWorker(tmp_path_factory.mktemp("dbt"), PREAMBLE)
    yield worker
    worker.close()


def new_project(folder: Path, tables: Tables, duckdb_threads: int) -> DbtProject:
    """A shop in `raw`, for a DuckDB of so many threads."""
    project = create_dbt_project(folder)
    profile = folder / "profiles.yml"
    local = "        TimeZone: UTC\n"
    text = profile.read_text()
    assert text.count(local) == 1
    profile.write_text(text.replace(local, f"{local}        threads: {duckdb_threads}\n"))
    put_raw(project, tables)
    return project


def shuffled(tables: Tables) -> Tables:
    """The same rows in another order."""
    random = np.random.default_rng(0)
    return {
        name: rows.take(pa.array(random.permutation(rows.num_rows)))
        for name, rows in tables.items()
    }


Row = dict[str, Any]


def tables_of(project: DbtProject) -> dict[str, list[Row]]:
    """The rows of every table and view that a build makes, in a fixed order, less bookkeeping."""
    names = [
        name
        for (name,) in project.query(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema like 'insights%' order by 1"
        )
        if name not in OF_THE_RUN
    ]
    found = {}
    for name in names:
        rows = [
            {column: value for column, value in row.items() if column not in BOOKKEEPING}
            for row in rows_of(project, f"select * from {name}")
        ]
        found[name] = sorted(rows, key=sort_key)
    return found


def sort_key(row: Row) -> list[str]:
    """Floats come last and rounded, so that noise in their last bits moves no row."""
    exact = [str(value) for value in row.values() if not isinstance(value, float)]
    return exact + [f"{value:.6f}" for value in row.values() if isinstance(value, float)]


def difference(expected: list[Row], found: list[Row]) -> str | None:
    """The first difference of two tables; floats count to 1e-9."""
    if len(expected) != len(found):
        return f"{len(expected)} rows became {len(found)}"
    for one, other in zip(expected, found, strict=True):
        if one.keys() != other.keys():
            return f"columns {sorted(one.keys() ^ other.keys())}"
        for column, value in one.items():
            if not is_same(value, other[column]):
                return f"{column}: {value!r} became {other[column]!r} in {other}"
    return None


def is_same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and one == other


def assert_same(expected: dict[str, list[Row]], found: dict[str, list[Row]]) -> None:
    assert expected.keys() == found.keys()
    differences = {name: difference(expected[name], found[name]) for name in expected}
    assert {name: words for name, words in differences.items() if words} == {}


@pytest.fixture(scope="module")
def expected(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """Every table of the shop, by one thread of dbt, of DuckDB and of XGBoost."""
    project = new_project(tmp_path_factory.mktemp("expected"), shop(SHOP), duckdb_threads=1)
    dbt.run(project, *BUILD, "--threads", "1", env={"TRAINING_THREADS": "1"})
    return tables_of(project)


def test_there_is_something_to_compare(expected: dict[str, list[Row]]) -> None:
    assert set(PUBLIC) <= expected.keys()
    assert all(len(expected[name]) > 1 for name in PUBLIC)
    log = expected["insights.model_runs"]
    sessions = [run for run in log if run["model_name"].startswith("purchase_intent")]
    assert {run["decision"] for run in sessions} == {"trained_promoted"}
    # The shop is small for the others; what they decide has to be the same all the same.
    assert all(run["artifact_sha256"] for run in sessions)
    assert len(expected["insights_staging.rejected_rows"]) > 5


def test_a_difference_is_found() -> None:
    row = {"session_id": "s-1", "score": 0.25}
    assert difference([row], [row | {"score": 0.25 + 1e-12}]) is None
    assert difference([row], [row | {"score": 0.25 + 1e-8}])
    assert difference([row], [row | {"session_id": "s-2"}])
    assert difference([row], [row | {"score": None}])
    assert difference([row], [row, row])


def test_order_threads_and_clock_change_nothing(
    dbt: DbtWorker, expected: dict[str, list[Row]], tmp_path: Path
) -> None:
    """All at once; where this fails, the long tests below say which of them it is."""
    project = new_project(tmp_path, shuffled(shop(SHOP)), duckdb_threads=4)
    other = {"TRAINING_THREADS": "2", "CLOCK_DAYS": "4000", "TZ": "Pacific/Auckland"}
    dbt.run(project, *BUILD, "--threads", "4", env=other)
    started = project.query("select run_started_at from insights_internal.run_context")[0][0]
    assert (started - datetime.now()).days > 3990
    assert_same(expected, tables_of(project))


@pytest.mark.long
def test_the_order_of_raw_rows_changes_nothing(
    dbt: DbtWorker, expected: dict[str, list[Row]], tmp_path: Path
) -> None:
    project = new_project(tmp_path, shuffled(shop(SHOP)), duckdb_threads=1)
    dbt.run(project, *BUILD, "--threads", "1", env={"TRAINING_THREADS": "1"})
    assert_same(expected, tables_of(project))


@pytest.mark.long
def test_the_number_of_threads_changes_nothing(
    dbt: DbtWorker, expected: dict[str, list[Row]], tmp_path: Path
) -> None:
    project = new_project(tmp_path, shop(SHOP), duckdb_threads=4)
    dbt.run(project, *BUILD, "--threads", "4", env={"TRAINING_THREADS": "2"})
    assert_same(expected, tables_of(project))


@pytest.mark.long
def test_the_clock_and_the_time_zone_change_nothing(
    dbt: DbtWorker, expected: dict[str, list[Row]], tmp_path: Path
) -> None:
    project = new_project(tmp_path, shop(SHOP), duckdb_threads=2)
    dbt.run(project, *BUILD, env={"CLOCK_DAYS": "4000", "TZ": "Pacific/Auckland"})
    started = project.query("select run_started_at from insights_internal.run_context")[0][0]
    assert (started - datetime.now()).days > 3990
    assert_same(expected, tables_of(project))


# --- what comes later ---

CUT = datetime(2024, 9, 10, 14, 30)
FUTURE_SHOP = ShopConfig(scale=0.2)
NEEDED = (
    "run",
    "--select",
    "+session_features",
    "+session_labels",
    "+customer_features",
    "+churn_labels",
)


def partly_unlabelled(tables: Tables) -> Tables:
    """Every other session's outcome is left to be derived from orders."""
    sessions = tables["sessions"]
    is_known = pa.array(np.arange(sessions.num_rows) % 2 == 0)
    labels = pc.if_else(is_known, sessions["is_purchase"], pa.scalar(None, pa.bool_()))
    place = sessions.column_names.index("is_purchase")
    field = RAW_SCHEMAS["sessions"].field("is_purchase")
    return tables | {"sessions": sessions.set_column(place, field, labels)}


def returned_later(tables: Tables) -> Tables:
    """Every fifth of the orders before CUT comes back after it."""
    orders = tables["orders"]
    is_fifth = pa.array(np.arange(orders.num_rows) % 5 == 0)
    is_back = pc.and_(is_fifth, pc.less(orders["ordered_at"], pa.scalar(CUT, pa.timestamp("us"))))
    back_at = pa.scalar(CUT + timedelta(days=3), pa.timestamp("us"))
    then = {
        "status": pc.if_else(is_back, "returned", orders["status"]),
        "status_changed_at": pc.if_else(is_back, back_at, orders["status_changed_at"]),
    }
    for name, values in then.items():
        orders = orders.set_column(orders.column_names.index(name), name, values)
    return tables | {"orders": orders}


def until(tables: Tables, moment: datetime) -> Tables:
    """The shop as it was at a moment: nothing later has happened, no status has changed later."""
    times = {"sessions": "started_at", "orders": "ordered_at", "reviews": "created_at"}
    cut = pa.scalar(moment, pa.timestamp("us"))
    found = {
        name: rows.filter(pc.less_equal(rows[times[name]], cut)) if name in times else rows
        for name, rows in tables.items()
    }
    orders = found["orders"]
    is_later = pc.fill_null(pc.greater(orders["status_changed_at"], cut), False)
    then = {
        "status": pc.if_else(is_later, "placed", orders["status"]),
        "status_changed_at": pc.if_else(
            is_later, pa.scalar(None, pa.timestamp("us")), orders["status_changed_at"]
        ),
    }
    assert pc.any(is_later).as_py()
    for name, values in then.items():
        orders = orders.set_column(orders.column_names.index(name), name, values)
    return found | {"orders": orders}


@dataclass(frozen=True)
class Known:
    """What a build knows of sessions and of customers at dates, and their final labels, by key."""

    sessions: dict[Any, Row]
    session_labels: dict[Any, Row]
    customers: dict[Any, Row]
    churn_labels: dict[Any, Row]

    @classmethod
    def of(cls, project: DbtProject) -> "Known":
        """Read from the tables of a build."""

        def by_key(*key: str, table: str, condition: str = "true") -> dict[Any, Row]:
            rows = rows_of(project, f"select * from insights.{table} where {condition}")
            return {tuple(row[name] for name in key): row for row in rows}

        customer = ("customer_id", "as_of_on")
        return cls(
            by_key("session_id", table="session_features"),
            by_key("session_id", table="session_labels", condition="is_purchase is not null"),
            by_key(*customer, table="customer_features"),
            by_key(*customer, table="churn_labels", condition="is_churned is not null"),
        )

    def assert_part_of(self, later: "Known") -> None:
        """All that is known here is known later too, and is the same."""
        for name in ("sessions", "session_labels", "customers", "churn_labels"):
            now, then = getattr(later, name), getattr(self, name)
            assert {key: now.get(key) for key in then} == then, name


@pytest.fixture(scope="module")
def whole() -> Tables:
    return returned_later(partly_unlabelled(shop(FUTURE_SHOP)))


@pytest.fixture(scope="module")
def past(dbt: DbtWorker, whole: Tables, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The shop as it was at CUT."""
    project = create_dbt_project(tmp_path_factory.mktemp("past"))
    put_raw(project, until(whole, CUT))
    dbt.run(project, "seed")
    dbt.run(project, *NEEDED)
    found = Known.of(project)
    assert 500 < len(found.session_labels) < len(found.sessions)
    assert 20 < len(found.churn_labels) < len(found.customers)
    # Both kinds of labels, and features that look back, are among what is compared.
    sources = {row["label_source"] for row in found.session_labels.values()}
    assert sources == {"recorded", "orders"}
    assert any(row["prior_order_count"] > 0 for row in found.sessions.values())
    assert {row["is_churned"] for row in found.churn_labels.values()} == {True, False}
    assert any(row["reversal_share"] > 0 for row in found.customers.values())
    return found


def test_future_rows_change_no_past_feature_and_no_final_label(
    dbt: DbtWorker, whole: Tables, past: Known, dbt_project: DbtProject
) -> None:
    put_raw(dbt_project, whole)
    dbt.run(dbt_project, "seed")
    dbt.run(dbt_project, *NEEDED)
    now = Known.of(dbt_project)
    assert len(now.sessions) > len(past.sessions)
    assert len(now.customers) > len(past.customers)
    past.assert_part_of(now)


def test_as_of_a_past_moment_gives_what_the_data_of_that_moment_gave(
    dbt: DbtWorker, whole: Tables, past: Known, dbt_project: DbtProject
) -> None:
    put_raw(dbt_project, whole)
    dbt.run(dbt_project, "seed")
    dbt.run(dbt_project, *NEEDED, env={"AS_OF": str(CUT)})
    now = Known.of(dbt_project)
    assert now.sessions.keys() == past.sessions.keys()
    assert now.customers.keys() == past.customers.keys()
    past.assert_part_of(now)
    # With `as_of` the moment itself is known to be over; the data end with their last event.
    newest = max(row["started_at"] for row in past.sessions.values())
    added = now.session_labels.keys() - past.session_labels.keys()
    matures_at = {key: past.sessions[key]["started_at"] + timedelta(hours=24) for key in added}
    assert all(newest <= moment + timedelta(hours=24) for moment in matures_at.values())
    assert all(moment <= CUT for moment in matures_at.values())


def test_a_feature_that_looks_ahead_would_be_found(
    dbt: DbtWorker, whole: Tables, past: Known, dbt_project: DbtProject
) -> None:
    """The comparison is not blind: a count of all of a visitor's sessions differs."""
    put_raw(dbt_project, whole)
    counted = """
        select session_id, count(*) over (partition by visitor_id) as session_count
        from raw.sessions {}
    """
    later = dict(dbt_project.query(counted.format("")))
    then = dict(dbt_project.query(counted.format(f"where started_at <= '{CUT}'")))
    assert {(key,) for key in then} == past.sessions.keys()
    assert any(later[key] != count for key, count in then.items())
    # Likewise the share of orders that came back, by the status that they have now.
    customers = past.customers.values()
    as_of_on = max(row["as_of_on"] for row in customers)
    back = dict(
        dbt_project.query(
            "select customer_id, avg(cast(status in ('cancelled', 'returned') as integer)) "
            f"from raw.orders where ordered_at < '{as_of_on}' group by customer_id"
        )
    )
    shares = {row["customer_id"]: row["reversal_share"] for row in customers}
    assert any(back[customer] != share for customer, share in shares.items())


def candidates_of(project: DbtProject) -> dict[Any, dict[str, Row]]:
    """The candidates of each customer and date, by product."""
    found: dict[Any, dict[str, Row]] = {}
    for row in rows_of(project, "select * from insights.product_candidates"):
        key = (row["customer_id"], row["as_of_on"])
        found.setdefault(key, {})[row["product_id"]] = row
    return found


def test_future_rows_change_no_past_candidate(
    dbt: DbtWorker, whole: Tables, tmp_path: Path
) -> None:
    """Who is looked at on a date of the past is told by who bought; what is seen of them is not."""
    found = []
    for name, tables in {"past": until(whole, CUT), "now": whole}.items():
        folder = tmp_path / name
        folder.mkdir()
        project = create_dbt_project(folder)
        put_raw(project, tables)
        dbt.run(project, "seed")
        dbt.run(
            project,
            *("run", "--select", "+product_candidates"),
            env={"RECOMMENDATION_TRAIN_DATES": "12", "RECOMMENDATION_PAIR_ORDERS": "1"},
        )
        found.append(candidates_of(project))
    past, now = found
    both = past.keys() & now.keys()
    assert len(both) > 50
    assert len({as_of_on for _, as_of_on in both}) > 3
    assert len(now.keys() - past.keys()) > 50
    assert {key: now[key] for key in both} == {key: past[key] for key in both}
    rows = [row for key in both for row in past[key].values()]
    assert any(row["own_order_count"] > 1 for row in rows)
    assert any(row["co_purchase_score"] > 0 for row in rows)
    assert any(not row["is_owned"] for row in rows)
