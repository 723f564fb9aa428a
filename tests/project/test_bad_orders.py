"""Orders that hardly a shop has: what is odd is counted or set aside, and nothing else changes."""

from pathlib import Path
from typing import Any

import pytest
from conftest import DbtProject, create_dbt_project
from helpers import DbtWorker, change, copy_of, put_raw, rows_of, shop
from test_load_files import load

from customer_insights.sample import ShopConfig

RUN = ("run", "--select", "+churn_scores", "+customer_segments", "+churn_rates")
MANY = 100_000
# One every 200 seconds, from New Year to August.
ORDERS_OF_ONE = f"""
insert into raw.orders
select one_order.* replace (
    'many-' || n as order_id, 'everything' as customer_id, null as status_changed_at,
    timestamp '2024-01-01' + to_seconds(n * 200) as ordered_at
)
from (select * from raw.orders where status = 'completed' order by order_id limit 1) as one_order
cross join range({MANY}) as numbers (n)
"""
FEATURES = """
select * from insights.customer_features where customer_id <> 'everything' order by all
"""


@pytest.fixture(scope="module")
def loaded(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A small shop, not built yet."""
    project = create_dbt_project(tmp_path_factory.mktemp("orders"))
    put_raw(project, shop(ShopConfig(scale=0.1)))
    dbt.run(project, "seed", "--select", "path:seeds/vocabulary")
    return project


@pytest.mark.long
def test_one_customer_with_100_000_orders_is_one_customer(
    dbt: DbtWorker, loaded: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(loaded, tmp_path)
    dbt.run(project, *RUN)
    others = project.query(FEATURES)
    change(project, ORDERS_OF_ONE)
    dbt.run(project, *RUN)
    assert project.query(FEATURES) == others
    counted = (
        "select max(order_count), count(distinct as_of_on) = count(*), bool_and(max_days > 0) "
        "from (select *, max_days_between_orders as max_days from insights.customer_features "
        "where customer_id = 'everything' and as_of_on > '2024-02-01')"
    )
    assert project.query(counted) == [(MANY, True, True)]
    segment = "select count(*) from insights.customer_segments where customer_id = 'everything' "
    assert project.query(segment + "and as_of_on = '2024-12-01'") == [(1,)]


def test_a_window_longer_than_the_history_gives_no_label_no_model_and_no_score(
    dbt: DbtWorker, loaded: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(loaded, tmp_path)
    dbt.run(project, *RUN, env={"CHURN_WINDOW": "3650"})
    assert project.query("select count(*) > 0, count(is_churned) from insights.churn_labels") == [
        (True, 0)
    ]
    ((decision, reason, metric),) = project.query(
        "select decision, reason, roc_auc from insights_internal.churn_trained"
    )
    assert (decision, metric) == ("not_enough_labels", None)
    assert reason.startswith("0 mature rows to train on")
    assert project.query("select count(*) from insights.churn_scores") == [(0,)]
    assert project.query("select count(churn_rate) from insights.churn_rates") == [(0,)]


def test_an_amount_with_a_currency_symbol_is_set_aside_with_its_line(
    dbt: DbtWorker, loaded: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(loaded, tmp_path)
    file = tmp_path / "order_items.csv"
    file.write_text(
        "order_id,line_number,product_id,quantity,unit_price_amount\n"
        "n1,1,p-00000001,1,12.50\nn1,2,p-00000001,1,€12.50\nn1,3,p-00000001,1,$7\n",
        encoding="utf-8",
    )
    answer = dbt.run(project, *load(file, "order_items"))
    assert "from order_items.csv, 2 rejected" in answer.output
    assert project.query("select count(*) from raw.order_items where order_id = 'n1'") == [(1,)]
    rejected: list[dict[str, Any]] = rows_of(
        project, "select line, reason from raw.load_rejects order by line"
    )
    assert [row["line"] for row in rejected] == [3, 4]
    assert all("unit_price_amount" in row["reason"] for row in rejected)
