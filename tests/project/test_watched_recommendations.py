"""What builds of three months say of the ranker and of the lists that they served."""

from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import BUILD, DbtWorker, put_raw, shop

from customer_insights.monitoring.drift import measure_feature_drift
from customer_insights.sample import ShopConfig

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# The sample's customers, until its lists of three dates have been served and two are judged.
MOMENTS = ("2024-10-20", "2024-11-20", "2024-12-20")
RANKER = "product_recommendations"
# The shop has 120 products, some in more lists than others: fewer rows stand for themselves.
SETTINGS = {"DRIFT_MIN_ROWS": "50", "TEXT_ENGINE": "none"}
WATCHED = (
    *BUILD,
    *("--select", "+recommendation_performance", "+feature_drift", "+prediction_drift"),
    *("+label_drift", "+slice_performance", "+model_performance"),
)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    folder: Path = tmp_path_factory.mktemp("watched")
    (folder / "worker").mkdir()
    project = create_dbt_project(folder)
    worker = DbtWorker(folder / "worker", **SETTINGS)
    put_raw(project, shop(ShopConfig()))
    for moment in MOMENTS:
        worker.run(project, *WATCHED, env={"AS_OF": moment})
    worker.close()
    return project


def test_lists_are_judged_when_their_window_is_over(watched: DbtProject) -> None:
    rows = watched.query(
        "select as_of_on, customers >= 20, ndcg_10 between 0.01 and 1, earlier_customers, "
        "has_fallen from insights.recommendation_performance "
        "where segment = 'ALL' order by as_of_on"
    )
    # What was served for December cannot be judged on its twentieth day.
    assert [row[0] for row in rows] == [date(2024, 10, 1), date(2024, 11, 1)]
    assert all(row[1:3] == (True, True) for row in rows)
    assert rows[0][3:] == (None, None)
    assert rows[1][3] is not None
    assert rows[1][4] is False


def test_the_ranker_is_watched_for_drift_on_new_candidates_of_buyers(watched: DbtProject) -> None:
    ((version, profile, learned, effective),) = watched.query(
        "select model_version, profile, train_rows, train_effective_rows "
        "from insights_internal.product_recommendations_trained where decision_number = 1"
    )
    windows = f"model_name = '{RANKER}' and model_version = '{version}'"
    assert watched.query(
        f"select distinct window_start_on from insights.feature_drift where {windows} order by 1"
    ) == [(date(2024, month, 1),) for month in (9, 10, 11)]
    with duckdb.connect(str(watched.database), read_only=True) as connection:
        rows = connection.sql(
            "select * from insights_internal.product_recommendations_training_set "
            "where as_of_on = date '2024-11-01'"
        ).to_arrow_table()
    assert learned > effective >= 50
    # As if the candidates of one customer, or of one product, were copies of one another.
    seen = min(
        rows.num_rows**2 // sum(count**2 for count in Counter(rows[name].to_pylist()).values())
        for name in ("customer_id", "product_id")
    )
    found = {
        each.feature: each
        for each in measure_feature_drift(
            profile,
            rows,
            3.09,
            (learned / effective, rows.num_rows / seen),
        )
    }
    by_sql = watched.query(
        "select column_name, current_rows, psi, coalesce(psi_threshold, 0), brier_change_low, "
        "is_drifted from insights.feature_drift "
        f"where {windows} and window_start_on = date '2024-11-01'"
    )
    assert {name for name, *_ in by_sql} == set(found)
    for name, count, *measures, is_drifted in by_sql:
        each = found[name]
        assert count == rows.num_rows
        assert measures == pytest.approx(
            [each.psi, each.psi_threshold or 0, each.brier_change_low], rel=1e-9, abs=1e-12
        )
        assert is_drifted is each.is_drifted
    assert not any(found[name].is_drifted for name in ("own_order_share", "relative_price"))
    for table in ("prediction_drift", "label_drift"):
        assert watched.query(
            f"select current_rows from insights.{table} "
            f"where {windows} and window_start_on = date '2024-11-01'"
        ) == [(rows.num_rows,)]


def test_no_metric_is_made_of_rows_that_are_alike(watched: DbtProject) -> None:
    for table in ("model_performance", "slice_performance"):
        names = {
            name for (name,) in watched.query(f"select distinct model_name from insights.{table}")
        }
        assert "churn" in names
        assert RANKER not in names
