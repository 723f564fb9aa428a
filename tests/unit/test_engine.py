"""Relations come in and Arrow goes out, whatever else happens in between."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pytest

from customer_insights.engine import Derived, Relation, open_warehouse, table_of
from customer_insights.engine.on_duckdb import DuckDBRelation
from customer_insights.errors import CustomerInsightsError, EngineError

if TYPE_CHECKING:
    from conftest import Shop

PEOPLE = pa.table(
    {
        "person": ["c", "a", "b", "d"],
        "day": [date(2024, 1, 3), date(2024, 1, 1), date(2024, 1, 2), None],
        "visits": pa.array([3, 1, 2, None], pa.int64()),
    }
)


@pytest.fixture
def people(shop: Shop) -> Relation:
    return shop.relate(PEOPLE)


def names(rows: Relation) -> list[str]:
    return [str(name) for name in rows.read()["person"].to_pylist()]


def test_column_names_are_lower_case_whatever_the_engine_spells(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = DuckDBRelation(connection.sql('select 1 as "Person_ID", 2 as VISITS'))
    assert rows.columns == ("person_id", "visits")


def test_select_keeps_the_columns_in_the_order_asked_for(people: Relation) -> None:
    assert people.select("visits", "person").read().column_names == ["visits", "person"]


def test_a_column_whose_name_is_a_word_of_sql_can_be_selected(shop: Shop) -> None:
    rows = shop.relate(pa.table({"order": [2, 1], "group": ["x", "y"]}))
    assert rows.select("order", "group").sorted_by("order").read()["group"].to_pylist() == [
        "y",
        "x",
    ]


def test_equal_to_takes_a_quote_as_text(shop: Shop) -> None:
    rows = shop.relate(pa.table({"person": ["o'hara", "x' or '1'='1"]}))
    assert names(rows.equal_to("person", "o'hara")) == ["o'hara"]
    assert names(rows.equal_to("person", "' or '1'='1")) == []


def test_at_least_includes_its_limit_and_leaves_nulls_out(people: Relation) -> None:
    assert names(people.at_least("day", date(2024, 1, 2)).sorted_by("person")) == ["b", "c"]


def test_at_most_includes_its_limit_and_leaves_nulls_out(people: Relation) -> None:
    assert names(people.at_most("day", date(2024, 1, 2)).sorted_by("person")) == ["a", "b"]


def test_rows_are_sorted_by_the_columns_in_their_order(shop: Shop) -> None:
    rows = shop.relate(pa.table({"person": ["b", "a", "a"], "visits": [1, 2, 1]}))
    assert rows.sorted_by("person", "visits").read().to_pylist() == [
        {"person": "a", "visits": 1},
        {"person": "a", "visits": 2},
        {"person": "b", "visits": 1},
    ]


def test_rows_are_counted_by_a_value(shop: Shop) -> None:
    rows = shop.relate(pa.table({"order": ["b", "a", "b"]}))
    assert rows.row_counts("order") == {"a": 1, "b": 2}
    assert rows.equal_to("order", "c").row_counts("order") == {}


def test_the_first_rows_of_a_sorted_relation(people: Relation) -> None:
    assert names(people.sorted_by("person").first(2)) == ["a", "b"]


def test_matching_and_not_matching_part_the_rows_by_all_of_their_keys(
    shop: Shop, people: Relation
) -> None:
    other = shop.relate(
        pa.table({"person": ["a", "a", "b"], "day": [date(2024, 1, 1)] * 3, "else": [1, 2, 3]})
    )
    assert names(people.matching(other, ["person", "day"])) == ["a"]
    assert names(people.not_matching(other, ["person", "day"]).sorted_by("person")) == [
        "b",
        "c",
        "d",
    ]


def test_a_renamed_column_keeps_its_place_and_its_rows(people: Relation) -> None:
    renamed = people.renamed("day", "on")
    assert renamed.columns == ("person", "on", "visits")
    assert renamed.read()["on"].to_pylist() == people.read()["day"].to_pylist()
    assert names(people.matching(renamed.renamed("on", "day"), ["person", "day"])) == [
        "c",
        "a",
        "b",
    ]


def test_a_relation_can_be_matched_with_rows_of_itself(people: Relation) -> None:
    assert names(people.matching(people.equal_to("visits", 2), ["person"])) == ["b"]


def test_batches_hold_at_most_so_many_rows_and_all_of_them_together(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = DuckDBRelation(connection.sql("select range as number from range(5000)"))
    batches = list(rows.read_batches(700))
    assert max(batch.num_rows for batch in batches) <= 700
    assert sorted(pa.Table.from_batches(batches)["number"].to_pylist()) == list(range(5000))


def test_a_relation_without_rows_reads_as_an_empty_typed_table(people: Relation) -> None:
    empty = people.equal_to("person", "nobody").read()
    assert empty.num_rows == 0
    assert empty.schema.field("visits").type == pa.int64()


def test_a_session_of_another_engine_is_refused_with_its_type_named() -> None:
    with pytest.raises(EngineError, match=r"types\.SimpleNamespace"):
        open_warehouse(SimpleNamespace(), SimpleNamespace())
    assert issubclass(EngineError, CustomerInsightsError)


def test_the_first_build_has_no_past_and_a_later_one_reads_its_own_table(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.sql("create or replace table decisions as select 'v1' as model_version")
    dbt = SimpleNamespace(is_incremental=False, this="main.decisions")
    warehouse = open_warehouse(dbt, connection)
    assert warehouse.past_rows() is None
    dbt.is_incremental = True
    past = warehouse.past_rows()
    assert past is not None
    assert past.read()["model_version"].to_pylist() == ["v1"]


def test_no_rows_give_an_empty_table_with_the_declared_types(shop: Shop) -> None:
    schema = pa.schema([("score", pa.float64()), ("scored_on", pa.date32())])
    assert table_of([], schema).schema == schema
    assert shop.written(Derived(schema, [])).schema == schema


def test_a_column_that_is_all_none_keeps_its_declared_type() -> None:
    schema = pa.schema([("reason", pa.string())])
    assert table_of([{"reason": None}, {}], schema).schema == schema
