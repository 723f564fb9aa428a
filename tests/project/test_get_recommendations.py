"""Recommendations on request: a function of the database, and a list for people."""

import duckdb
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import DbtWorker, put_raw, shop

from customer_insights.sample import ShopConfig

SEGMENTS = "AT_RISK, HIGH_VALUE_ACTIVE, HIGH_VALUE_INACTIVE, LOW_ENGAGEMENT, NEW_CUSTOMERS, REGULAR"
CALL = "from insights.get_product_recommendations({})"


@pytest.fixture(scope="module")
def project(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    project = create_dbt_project(tmp_path_factory.mktemp("recommendations"))
    put_raw(project, shop(ShopConfig(scale=0.2)))
    dbt.run(project, "seed")
    dbt.run(project, "run", "--select", "+product_recommendations")
    return project


def test_the_function_gives_so_many_customers_and_products(project: DbtProject) -> None:
    rows = project.query(
        "select customer_id, rank, segment, product_id "
        + CALL.format("n_customers := 3, n_products := 4, segment_name := 'REGULAR'")
    )
    assert len({customer for customer, *_ in rows}) == 3
    assert [rank for _, rank, *_ in rows] == [1, 2, 3, 4] * 3
    assert {segment for _, _, segment, _ in rows} == {"REGULAR"}
    expected = project.query(
        "select customer_id, rank, segment, product_id from insights.product_recommendations"
    )
    assert set(rows) <= set(expected)
    assert rows == project.query(
        "select customer_id, rank, segment, product_id "
        + CALL.format("n_customers := 3, n_products := 4, segment_name := 'REGULAR'")
    )


def test_without_a_segment_all_customers_count(project: DbtProject) -> None:
    everybody = project.query(
        "select count(distinct customer_id), max(rank) "
        + CALL.format("n_customers := 100000, n_products := 1000")
    )
    assert everybody == project.query(
        "select count(distinct customer_id), max(rank) from insights.product_recommendations"
    )
    assert everybody[0][0] > 20


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("n_customers := 0", "n_customers is 0; give a whole number from 1 to 100000."),
        ("n_customers := -1", "n_customers is -1; give a whole number from 1 to 100000."),
        (
            "n_customers := 1000000000",
            "n_customers is 1000000000; give a whole number from 1 to 100000.",
        ),
        ("n_customers := null", "n_customers is null; give a whole number from 1 to 100000."),
        ("n_customers := 'ten'", "n_customers is ten; give a whole number from 1 to 100000."),
        ("n_products := 0", "n_products is 0; give a whole number from 1 to 1000."),
        ("segment_name := 'VIP'", f"There is no segment 'VIP'; there are {SEGMENTS}."),
        (
            "segment_name := 'x'' or 1=1 --'",
            f"There is no segment 'x' or 1=1 --'; there are {SEGMENTS}.",
        ),
    ],
)
def test_the_function_refuses_with_one_sentence(
    project: DbtProject, arguments: str, sentence: str
) -> None:
    with pytest.raises(duckdb.Error) as refused:
        project.query("select * " + CALL.format(arguments))
    assert sentence in str(refused.value)


def test_the_list_for_people_says_who_what_and_how_likely(project: DbtProject) -> None:
    [result] = project.run_many(
        [
            [
                "run-operation",
                "get_product_recommendations",
                "--args",
                "{n_customers: 2, n_products: 3}",
            ]
        ],
        {"SHOP_SOURCE": "raw"},
    )
    assert result.exit_code == 0, result.output
    customer, rank, name = project.query(
        "select customer_id, rank, product_name " + CALL.format("n_customers := 1, n_products := 1")
    )[0]
    assert f"Customer {customer} (" in result.output
    assert f" {rank}. " in result.output
    assert name[:40] in result.output
    assert "6 recommendations for 2 customers, as of " in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("{n_customers: 0}", "n_customers is 0; give a whole number from 1 to 100000."),
        ("{n_customers: -1}", "n_customers is -1; give a whole number from 1 to 100000."),
        (
            "{n_customers: 1000000000}",
            "n_customers is 1000000000; give a whole number from 1 to 100000.",
        ),
        ("{n_products: 1.5}", "n_products is 1.5; give a whole number from 1 to 1000."),
        ("{n_products: true}", "n_products is True; give a whole number from 1 to 1000."),
        ("{segment: VIP}", f"There is no segment 'VIP'; there are {SEGMENTS}."),
        (
            '{segment: "x\' or 1=1 --"}',
            f"There is no segment 'x' or 1=1 --'; there are {SEGMENTS}.",
        ),
    ],
)
def test_the_list_refuses_with_one_sentence(
    dbt: DbtWorker, project: DbtProject, arguments: str, sentence: str
) -> None:
    answer = dbt.run(
        project,
        *("run-operation", "get_product_recommendations", "--args", arguments),
        check=False,
    )
    assert answer.exit_code != 0
    assert sentence in answer.output
