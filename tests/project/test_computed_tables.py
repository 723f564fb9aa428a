"""What SQL computes is made again exactly where its query or its input has changed."""

from pathlib import Path

import pyarrow as pa
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import DbtWorker, change, contents, copy_of, put_raw, shop

from customer_insights.sample import ShopConfig

SHOP = ShopConfig(scale=0.05)
RUN = ("run", "--select", "+customer_segments", "+session_labels")
SEED = ("seed", "--select", "path:seeds/vocabulary")
OF_ORDERS = {
    "checked_orders",
    "source_watermarks",
    "customer_orders",
    "as_of_dates",
    "customer_order_totals",
    "customer_features_computed",
    "customer_segments_computed",
    "session_labels_computed",
}


COMPUTED = OF_ORDERS | {
    *(f"checked_{name}" for name in ("customers", "order_items", "products", "reviews", "sessions"))
}


@pytest.fixture(scope="module")
def dbt(dbt_without_texts: DbtWorker) -> DbtWorker:
    return dbt_without_texts


@pytest.fixture(scope="module")
def built(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    project = create_dbt_project(tmp_path_factory.mktemp("built"))
    put_raw(project, shop(SHOP))
    dbt.run(project, *SEED)
    dbt.run(project, *RUN)
    return project


@pytest.fixture
def project(built: DbtProject, tmp_path: Path) -> DbtProject:
    return copy_of(built, tmp_path)


def made_again(dbt: DbtWorker, project: DbtProject, *arguments: str, **env: str) -> set[str]:
    """Which computed tables a run makes again."""
    messages = dbt.run(project, *RUN, *arguments, env=env).messages
    assert set(messages) >= COMPUTED
    return {name for name in COMPUTED if messages[name] != "UP TO DATE"}


def test_nothing_new_makes_nothing_again(dbt: DbtWorker, project: DbtProject) -> None:
    before = contents(project)
    assert made_again(dbt, project) == set()
    assert contents(project) == before


def test_the_order_of_raw_rows_is_nothing_new(dbt: DbtWorker, project: DbtProject) -> None:
    orders = shop(SHOP)["orders"]
    put_raw(project, {"orders": orders.take(pa.array(range(orders.num_rows - 1, -1, -1)))})
    assert made_again(dbt, project) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "insert into raw.orders select * replace ('another' as order_id) from raw.orders limit 1",
        "delete from raw.orders where order_id = (select min(order_id) from raw.orders)",
        "update raw.orders set discount_amount = 0.01 "
        "where order_id = (select min(order_id) from raw.orders)",
    ],
)
def test_a_row_that_came_went_or_changed_is_computed(
    dbt: DbtWorker,
    project: DbtProject,
    statement: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    change(project, statement)
    again = made_again(dbt, project)
    assert again >= OF_ORDERS
    assert not again & {"checked_customers", "checked_products", "checked_reviews"}
    fresh = create_dbt_project(tmp_path_factory.mktemp("fresh"))
    put_raw(fresh, shop(SHOP), statement)
    dbt.run(fresh, *SEED)
    dbt.run(fresh, *RUN)
    found, expected = contents(project), contents(fresh)
    for name in again:
        (place,) = (key for key in expected if key.endswith(f".{name}"))
        assert found[place] == expected[place], name


def test_a_change_is_computed_once(dbt: DbtWorker, project: DbtProject) -> None:
    change(project, "update raw.reviews set rating = 6 - rating where rating <> 3")
    assert made_again(dbt, project) >= {"checked_reviews", "customer_features_computed"}
    assert made_again(dbt, project) == set()


def test_a_setting_concerns_what_reads_it(dbt: DbtWorker, project: DbtProject) -> None:
    assert made_again(dbt, project, NEW_CUSTOMER_DAYS="3") == {"customer_segments_computed"}


def test_a_full_refresh_makes_all_again(dbt: DbtWorker, project: DbtProject) -> None:
    assert made_again(dbt, project, "--full-refresh") == COMPUTED


def test_a_table_that_is_gone_is_made_again(dbt: DbtWorker, project: DbtProject) -> None:
    change(project, "drop table insights_internal.customer_segments_computed cascade")
    assert made_again(dbt, project) == {"customer_segments_computed"}


def test_a_table_whose_making_was_cut_short_is_made_again(
    dbt: DbtWorker, project: DbtProject
) -> None:
    """A build forgets the fingerprint before it makes the table. Readers have their input still."""
    change(
        project,
        "delete from insights_internal.computed_fingerprints "
        "where relation_name like '%customer_orders%'",
    )
    assert made_again(dbt, project) == {"customer_orders"}


def test_what_fails_is_made_by_the_next_build(dbt: DbtWorker, project: DbtProject) -> None:
    change(project, "alter table raw.orders rename column status to state")
    failed = dbt.run(project, *RUN, check=False)
    assert failed.exit_code != 0
    change(project, "alter table raw.orders rename column state to status")
    assert not made_again(dbt, project) & {"checked_customers", "checked_reviews"}
    assert made_again(dbt, project) == set()
