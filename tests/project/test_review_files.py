"""The importers of review files: PRDECT-ID, and the shop of Snowflake's samples."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import DbtProject, DbtResult, create_dbt_project
from test_load_files import load

PRDECT_LINE = {
    "Category": "Gaming",
    "Product Name": " Joystick ",
    "Location": "Jakarta Utara",
    "Price": "53500",
    "Overall Rating": "4.9",
    "Number Sold": "5449",
    "Total Review": "2369",
    "Customer Rating": "5",
    "Customer Review": "barang bagus",
    "Sentiment": "Positive",
    "Emotion": "Happy",
}
REVIEW_LINE = {
    "REVIEW_ID": "REV-1",
    "PRODUCT_ID": "PROD-1",
    "CUSTOMER_ID": "CUST-1",
    "REVIEW_TEXT": "Great",
    "RATING": "5",
    "REVIEW_DATE": "2023-03-09",
    "PURCHASE_DATE": "2023-03-01",
    "VERIFIED_PURCHASE": "true",
    "HELPFUL_VOTES": "2",
}
CUSTOMERS = (
    "CUSTOMER_ID,CUSTOMER_SEGMENT,JOIN_DATE,LIFETIME_VALUE,PREVIOUS_PURCHASES,AGE_RANGE,GENDER,"
    "PREFERRED_CATEGORY\nCUST-1,Budget,2022-01-02,1.5,3,25-34,Female,Toys\n"
    "CUST-2,Luxury,2022-01-03,1.5,3,65+,Prefer not to say,Toys\n"
    "CUST-3,Luxury,soon,1,3,65+,Male,Toys\n"
)
PRODUCTS = (
    "PRODUCT_ID,PRODUCT_NAME,CATEGORY,SUBCATEGORY,MANUFACTURER,PRICE,RELEASE_DATE,REVIEW_COUNT\n"
    "PROD-1,Blocks,Toys,Bricks,Acme,12.50,2023-01-01,3\n"
)

PRDECT_LINES = (
    {},
    {},
    {"Customer Review": "lama sekali\nsampai", "Customer Rating": "1"},
    {"Location": "Bandung"},
    {"Customer Review": ""},
    {"Price": "free"},
    {"Customer Rating": "five"},
    {"Product Name": ""},
)


def lines(line: Mapping[str, str], *changes: Mapping[str, str]) -> bytes:
    """A file of lines, each like `line` but for its changes."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(line), lineterminator="\n")
    writer.writeheader()
    for differences in changes:
        writer.writerow({**line, **differences})
    return buffer.getvalue().encode()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    return create_dbt_project(tmp_path_factory.mktemp("review_files"))


@pytest.fixture(scope="module")
def results(project: DbtProject) -> dict[str, DbtResult]:
    """What each load gave; every schema is a shop of its own."""

    def put(name: str, content: bytes) -> Path:
        path = project.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    forward = put("prdect.csv", lines(PRDECT_LINE, *PRDECT_LINES))
    backward = put("backward.csv", lines(PRDECT_LINE, *reversed(PRDECT_LINES)))
    put(
        "shop/product_reviews.csv",
        lines(
            REVIEW_LINE,
            {},
            {"REVIEW_ID": "REV-2", "PURCHASE_DATE": "2023-03-10"},
            {"REVIEW_ID": "REV-3", "RATING": "5.5"},
        ),
    )
    put("shop/customer_data.csv", CUSTOMERS.encode())
    folder = put("shop/product_catalog.csv", PRODUCTS.encode()).parent
    calls = {
        "forward": load(forward, raw_schema="forward"),
        "backward": load(backward, raw_schema="backward", prdect_id_year=2019),
        "again": load(forward, raw_schema="forward"),
        "table": load(forward, "reviews", raw_schema="refused"),
        "shop": load(folder, raw_schema="samples"),
    }
    return dict(zip(calls, project.run_many(list(calls.values())), strict=True))


def test_prdect_reviews_and_products(results: dict[str, DbtResult], project: DbtProject) -> None:
    assert results["forward"].exit_code == 0, results["forward"].output
    assert project.query(
        "select table_name, rows_in_file, rows_loaded, rows_rejected "
        "from forward.load_manifest order by table_name"
    ) == [("products", 2, 2, 0), ("reviews", 8, 4, 4)]
    assert project.query(
        "select any_value(name), any_value(category), any_value(price_amount)::varchar, count(*) "
        "from forward.products join forward.reviews using (product_id) "
        "group by product_id order by count(*)"
    ) == [("Joystick", "Gaming", "53500.00", 1), ("Joystick", "Gaming", "53500.00", 3)]
    assert project.query("select line, reason from forward.load_rejects order by line") == [
        (7, "text: value is missing"),
        (8, "price_amount: 'free' is not a number"),
        (9, "rating: 'five' is not an integer"),
        (10, "name: value is missing"),
    ]
    assert project.query(
        "select count(distinct review_id), min(year(created_at)), max(year(created_at)), "
        "count(customer_id), count(title) from forward.reviews"
    ) == [(4, 2021, 2021, 0, 0)]


def test_prdect_rows_do_not_depend_on_the_order_of_lines(
    results: dict[str, DbtResult], project: DbtProject
) -> None:
    def rows(schema: str) -> list[tuple[object, ...]]:
        return project.query(
            "select review_id, product_id, strftime(created_at, '%m-%d %H:%M:%S'), rating, text "
            f"from {schema}.reviews order by review_id"
        )

    assert rows("forward") == rows("backward")
    assert project.query("select distinct year(created_at) from backward.reviews") == [(2019,)]
    assert results["again"].info_lines() == [
        "Already loaded prdect.csv into reviews, products, nothing to do"
    ]
    assert results["table"].exit_code != 0
    assert "fills reviews, products together" in results["table"].output


def test_the_sample_shop_is_loaded_as_a_folder(
    results: dict[str, DbtResult], project: DbtProject
) -> None:
    assert results["shop"].exit_code == 0, results["shop"].output
    assert project.query(
        "select review_id, customer_id, product_id, created_at::varchar, rating, text "
        "from samples.reviews"
    ) == [("REV-1", "CUST-1", "PROD-1", "2023-03-09 00:00:00", 5, "Great")]
    assert project.query(
        "select customer_id, signed_up_on::varchar, gender, age, plan "
        "from samples.customers order by customer_id"
    ) == [
        ("CUST-1", "2022-01-02", "Female", None, None),
        ("CUST-2", "2022-01-03", None, None, None),
    ]
    assert project.query("select * exclude (loaded_at, price_amount) from samples.products") == [
        ("PROD-1", "Blocks", "Toys")
    ]
    assert project.query("select table_name, reason from samples.load_rejects order by all") == [
        ("customers", "signed_up_on: 'soon' is not a date like 2024-06-30"),
        ("reviews", "rating: '5.5' is not an integer"),
        ("reviews", "review_date: before the purchase"),
    ]


TOPICS = ["run", "--select", "+topics", "+topic_quality"]


@dataclass(frozen=True)
class Prdect:
    """PRDECT-ID in a database, and the topics of its reviews after each run."""

    project: DbtProject
    topics: Sequence[list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def prdect(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Prdect:
    """Topics are looked for in too few texts, then found, then looked for again."""
    file = shared_data / "prdect_id.csv.gz"
    if not file.exists():
        pytest.skip(f"no {file}; it is not ours to ship")
    project = create_dbt_project(tmp_path_factory.mktemp("prdect"))
    raw = {"SHOP_SOURCE": "raw"}
    for result in project.run_many([load(file), ["seed", "--select", "vocabulary"]], raw):
        assert result.exit_code == 0, result.output
    topics = []
    for settings in ({"TOPIC_MIN_TEXTS": "1000000"}, {}, {}):
        [result] = project.run_many([TOPICS], raw | settings)
        assert result.exit_code == 0, result.output
        topics.append(project.query("select * from insights.review_topics order by review_id"))
    return Prdect(project, topics)


def test_every_review_of_prdect_has_a_topic(prdect: Prdect) -> None:
    too_few, found, again = prdect.topics
    assert {row[1:3] for row in too_few} == {(0, None)}
    assert len(too_few) == len(found) == len({row[0] for row in found}) == 5400
    assert all(row[1] is not None for row in found)
    assert sum(row[1] == 0 for row in found) < 108, "at most one in fifty holds no term of a topic"
    assert found == again, "a build with nothing new assigns nothing"
    assert prdect.project.query(
        "select decision from insights_internal.topics_trained order by decision_number"
    ) == [("not_enough_texts",), ("trained",), ("kept",)]


def test_the_topics_of_prdect_are_coherent_and_diverse(prdect: Prdect) -> None:
    [(topics, coherence, diversity)] = prdect.project.query(
        "select topic_count, coherence_npmi, diversity from insights.topic_quality"
    )
    assert topics >= 8
    assert coherence >= 0.10
    assert diversity >= 0.75
