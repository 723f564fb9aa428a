"""The emulator behaves as Snowflake's documentation says, where this project relies on it.

What it cannot show (values, plans, limits, costs of a real account) is not tested here.
"""

import datetime
import hashlib
import json
import math
import os
import re
import textwrap
import time
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector
from column_kinds import columns_on_duckdb, columns_on_snowflake
from emulator import show
from emulator.client import Emulator, start_emulator

from dbt_worker import Answer, DbtWorker

_numbers = count(1)
# Modules that hold the others together: what they answer is written elsewhere.
PLUMBING = {"__init__", "__main__", "client", "execution", "handlers", "sandbox", "server"}
PYTHON = "language python runtime_version = '3.11'"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with start_emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def emulator(account: Emulator) -> Emulator:
    """The shared account, in a schema that no other test uses."""
    account.execute("rollback", f"create schema analytics.test_{next(_numbers)}")
    return account


def refused(emulator: Emulator, sql: str) -> snowflake.connector.Error:
    with pytest.raises(snowflake.connector.Error) as caught:
        emulator.query(sql)
    return caught.value


ANY = "'snowflake-snowpark-python', 'pandas', 'pyarrow'"


def procedure(body: str, packages: str = ANY, more: str = "") -> str:
    """An anonymous procedure with the body of `main(session)`, and its call, as dbt writes them."""
    text = textwrap.indent(textwrap.dedent(body), "    ")
    return (
        f"with model__dbt_sp as procedure ()\nreturns string\n{PYTHON}\npackages = ({packages})\n"
        f"{more}\nhandler = 'main'\nexecute as caller\nas\n$$\ndef main(session):\n{text}\n$$\n"
        "call model__dbt_sp();"
    )


def in_procedure(emulator: Emulator, body: str, packages: str = ANY, more: str = "") -> str:
    """What a procedure returns."""
    answer: str = emulator.query(procedure(body, packages, more))[0][0]
    return answer


# -- sessions --------------------------------------------------------------------------------------


def test_each_module_that_answers_names_the_page_that_it_follows() -> None:
    modules = (Path(__file__).parent / "emulator").glob("*.py")
    silent = {m.stem for m in modules if "https://docs.snowflake.com/en/" not in m.read_text()}
    assert silent == PLUMBING


def test_each_kind_that_show_lists_names_the_page_that_it_follows() -> None:
    text = (Path(__file__).parent / "emulator" / "show.py").read_text(encoding="utf-8")
    page = r"# https://docs\.snowflake\.com/en/sql-reference/sql/show-(\S+)"
    named = re.findall(rf'{page}\n    "([A-Z ]+)": ', text)
    assert named == [(kind.lower().replace(" ", "-"), kind) for kind in show.KINDS]


def test_a_session_knows_where_it_is(emulator: Emulator) -> None:
    emulator.execute("create schema analytics.place", "use warehouse loading", "use role loader")
    row = emulator.query("select current_database(), current_schema(), current_role()")[0]
    assert row == ("ANALYTICS", "PLACE", "LOADER")
    assert emulator.query("select current_warehouse() as w")[0] == ("LOADING",)
    emulator.execute("use warehouse transforming", "use role transformer")


def test_a_schema_that_is_missing_at_login_is_no_current_schema(emulator: Emulator) -> None:
    with emulator.connect(schema="nowhere") as connection:
        rows = connection.cursor().execute("select current_schema()").fetchall()
    assert rows == [(None,)]


def test_query_tags_are_logged_as_they_were_set(emulator: Emulator) -> None:
    emulator.execute("""alter session set query_tag = '{"a": "it''s \\\\ odd"}'""")
    emulator.query("select 1 as one")
    emulator.execute("alter session unset query_tag")
    tagged = emulator.statements()[-2]
    assert (tagged["sql"], tagged["query_tag"]) == ("select 1 as one", '{"a": "it\'s \\ odd"}')
    assert emulator.query("show parameters like 'query_tag' in session")[0][1] == ""


def test_options_make_the_account_strict(tmp_path: Path) -> None:
    options = ("--warehouses", "TRANSFORMING", "--roles", "TRANSFORMER")
    more = ("--refuse", "create dynamic table", "--procedure-seconds", "1.5")
    with start_emulator(tmp_path, *options, *more, password="right", cortex=False) as strict:
        with pytest.raises(snowflake.connector.Error, match="Incorrect username or password"):
            strict.connect(password="wrong")
        with pytest.raises(snowflake.connector.Error, match="Role 'NOBODY'"):
            strict.connect(role="nobody")
        assert refused(strict, "use warehouse unknown").errno == 2043
        assert refused(strict, "use role unknown").errno == 2043
        strict.execute("create table t as select 1 as a")
        create = "create dynamic table d target_lag = '1 hour' warehouse = transforming as"
        assert refused(strict, f"{create} select a from t").errno == 3001
        assert refused(strict, "select ai_sentiment('x')").errno == 2140
        with (
            strict.connect(warehouse="unknown") as connection,
            pytest.raises(snowflake.connector.Error, match="No active warehouse"),
        ):
            connection.cursor().execute("select * from t")
        with pytest.raises(snowflake.connector.Error, match="timeout of 2 second"):
            in_procedure(strict, "import time; time.sleep(30)", "'snowflake-snowpark-python'")
        # The lowest limit counts.
        strict.execute("alter warehouse transforming set statement_timeout_in_seconds = 1")
        with pytest.raises(snowflake.connector.Error, match="timeout of 1 second"):
            in_procedure(strict, "import time; time.sleep(30)", "'snowflake-snowpark-python'")


def test_an_account_lacks_something_for_a_while(emulator: Emulator) -> None:
    emulator.execute(
        "create table t as select 1 as a",
        f"create function same(a int) returns int {PYTHON} handler = 'same' "
        "as $$def same(a): return a$$",
    )
    with emulator.limited(no_credits_for=r"insert into \S*t\b", function_rows=2, refused=["list"]):
        assert refused(emulator, "insert into t values (2)").errno == 90073
        assert refused(emulator, "list @~").errno == 3001
        assert emulator.query("select same(a) from t") == [(1,)]
        many = "select sum(same(column1)) from values (1), (2), (3)"
        assert "memory exhausted" in str(refused(emulator, many))
    emulator.execute("insert into t values (2)")
    assert emulator.query(many) == [(6,)]
    assert emulator.query("select count(*) from t") == [(2,)]


# -- values ----------------------------------------------------------------------------------------


def test_values_arrive_as_they_were_stored(emulator: Emulator) -> None:
    emulator.execute(
        "create table t (i int, f float, d number(10, 2), s varchar, b boolean, on_ date, "
        "at_ timestamp_ntz, x binary, v variant)",
        "insert into t select 7, 0.1::float + 0.2::float, 1.25, 'it''s', true, '2024-02-29', "
        "'2024-01-01 01:02:03.456789', to_binary('00ff', 'HEX'), parse_json('{\"a\": [1]}')",
        "insert into t (s) values (null)",
    )
    full, empty = emulator.query("select * from t order by i nulls last")
    at = datetime.datetime(2024, 1, 1, 1, 2, 3, 456789)
    assert full[:7] == (7, 0.1 + 0.2, Decimal("1.25"), "it's", True, datetime.date(2024, 2, 29), at)
    assert bytes(full[7]) == b"\x00\xff"
    assert json.loads(full[8]) == {"a": [1]}
    assert empty == (None,) * 9


def test_sums_of_decimals_are_exact_and_named_as_they_are_written(emulator: Emulator) -> None:
    cursor = emulator.connection.cursor()
    cursor.execute("select sum(x), count(*) from (select 0.1 as x union all select 0.2)")
    assert cursor.fetchall() == [(Decimal("0.3"), 2)]
    assert [column.name for column in cursor.description] == ["SUM(X)", "COUNT(*)"]


def test_whole_numbers_come_in_the_smallest_type(emulator: Emulator) -> None:
    cursor = emulator.connection.cursor()
    cursor.execute("select 1 as a, 40000 as b, 5000000000 as c, 1.5::number(10, 1) as d")
    assert [str(field.type) for field in cursor.fetch_arrow_all().schema] == [
        "int8",
        "int32",
        "int64",
        "double",
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 / 3", Decimal("0.333333")),
        ("7.50::number(10, 2) / 4", Decimal("1.87500000")),
        ("1 / 3::float", 1 / 3),
        ("avg(column1) from (values (1), (2))", Decimal("1.500000")),
        ("avg(column1) over () from (values (1), (2)) limit 1", Decimal("1.500")),
        ("greatest(1, null)", None),
        ("concat_ws('-', 'a', null)", None),
        ("array_to_string(array_construct_compact('a', null, 'b'), '; ')", "a; b"),
        ("to_number('ff', 'XX')", 255),
        ("regexp_like('abc', 'b')", False),
        ("try_to_timestamp_ntz('x')", None),
        ("trim('xax', 'x')", "a"),
        ("'7a'::binary::varchar is null", False),
        ("get_path(parse_json('{\"a\": [{\"b\": 1}]}'), 'a[0].b')::int", 1),
        ("parse_json('{\"a\": [{\"b\": 1}]}'):a[0].b::int", 1),
        ("parse_json('{\"a\": [{\"b\": 1}]}')['a'][0]['b']::int", 1),
        ("object_construct('a', 1, 'b', null)", '{"a":1}'),
        ("datediff(day, '2024-01-31'::date, '2024-02-01'::date)", 1),
        ("convert_timezone('UTC', '2024-01-01 00:00:00 +02:00'::timestamp_tz)::date",
         datetime.date(2023, 12, 31)),
    ],
)  # fmt: skip
def test_functions_answer_as_documented(
    emulator: Emulator, expression: str, expected: object
) -> None:
    assert emulator.query(f"select {expression}")[0][0] == expected


def test_nulls_are_the_largest_values(emulator: Emulator) -> None:
    """https://docs.snowflake.com/en/sql-reference/constructs/order-by"""
    values = "(values (1), (null), (2))"
    assert [row[0] for row in emulator.query(f"select column1 from {values} order by 1 desc")] == [
        None,
        2,
        1,
    ]


def test_a_hash_of_rows_depends_on_the_rows_and_not_on_their_order(emulator: Emulator) -> None:
    """https://docs.snowflake.com/en/sql-reference/functions/hash_agg"""

    def hashed(*rows: str) -> object:
        values = f"(values {', '.join(rows)})"
        return emulator.query(f"select hash_agg(column1, column2) from {values}")[0][0]

    assert hashed("(1, 'a')", "(2, null)") == hashed("(2, null)", "(1, 'a')")
    assert hashed("(1, 'a')", "(2, null)") != hashed("(1, null)", "(2, 'a')")


def test_flatten_gives_a_row_for_each_element(emulator: Emulator) -> None:
    sql = "select index, value::int from lateral flatten(input => array_construct(5, 6)) order by 1"
    assert emulator.query(sql) == [(0, 5), (1, 6)]


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "errno", "sqlstate", "words"),
    [
        ("select * from nothing", 2003, "42S02", "does not exist or not authorized"),
        ("select b from t", 904, "42000", "invalid identifier 'B'"),
        ('select "a" from t', 904, "42000", "invalid identifier"),
        ("select a frm t wher", 1003, "42000", "SQL compilation error"),
        ("select 1 / (a - 1) from t", 100051, "22012", "Division by zero"),
        ("select cast('x' as integer)", 100038, "22018", "Numeric value 'x' is not recognized"),
        ("select '2024-13-01'::date", 100040, "22007", "Date '2024-13-01' is not recognized"),
        ("select nothing(1)", 2140, "42601", "Unknown function NOTHING"),
        ("show objects in schema analytics.nothing", 2043, "02000", "Object does not exist"),
        ("create table t (a int)", 2002, "42710", "already exists"),
        ("insert into strict (a) values (null)", 100072, "22000", "NULL result"),
        ("select 1 as a; select 2 as b", 8, "0A000", "statement count"),
    ],
)
def test_errors_have_snowflakes_numbers(
    emulator: Emulator, sql: str, errno: int, sqlstate: str, words: str
) -> None:
    emulator.execute("create table t as select 1 as a", "create table strict (a int not null)")
    error = refused(emulator, sql)
    assert (error.errno, error.sqlstate) == (errno, sqlstate), error.msg
    assert words in error.msg


def test_a_fault_of_the_emulator_is_an_error_and_is_not_tried_again(emulator: Emulator) -> None:
    before = len(emulator.statements())
    assert refused(emulator, "explain using tabular select 1").errno >= 1000
    assert len(emulator.statements()) == before + 1


# -- tables ----------------------------------------------------------------------------------------


def test_temporary_tables_are_private_and_hide_others(emulator: Emulator) -> None:
    schema = emulator.query("select current_schema()")[0][0]
    name = f"analytics.{schema}.t"
    emulator.execute(f"create table {name} as select 'kept' as a")
    with emulator.connect() as connection:
        cursor = connection.cursor()
        cursor.execute(f"create temporary table {name} as (select 'hidden' as a)")
        cursor.execute(
            f"create or replace temporary view analytics.{schema}.v as select * from {name}"
        )
        assert cursor.execute(
            f"select t.a, v.a from {name} join analytics.{schema}.v"
        ).fetchall() == [("hidden", "hidden")]
        cursor.execute(f"describe table {name}")
        assert [row[0] for row in cursor.fetchall()] == ["A"]
    assert emulator.query(f"select a from {name}") == [("kept",)]
    assert refused(emulator, f"select * from analytics.{schema}.v").errno == 2003


def test_merge_updates_inserts_and_counts(emulator: Emulator) -> None:
    emulator.execute("create table t as select 1 as a, 'old' as b")
    merged = emulator.query(
        "merge into t as dest using (select 1 as a, 'new' as b union all select 2, 'more') as src "
        "on (dest.a = src.a) when matched then update set b = src.b "
        'when not matched then insert ("A", "B") values ("A", "B")'
    )
    assert merged == [(1, 1)]
    assert emulator.query("select * from t order by a") == [(1, "new"), (2, "more")]


def test_merge_refuses_two_sources_for_one_row(emulator: Emulator) -> None:
    emulator.execute("create table t as select 1 as a, 'old' as b")
    source = "(select 1 as a, 'x' as b union all select 1, 'y') as src"
    error = refused(
        emulator,
        f"merge into t using {source} on t.a = src.a when matched then update set b = src.b",
    )
    assert (error.errno, error.sqlstate) == (100090, "42P18")
    inserted = "when not matched then insert (a) values (src.a)"
    assert emulator.query(f"merge into t using {source} on t.b = src.b {inserted}") == [(2,)]


def test_ddl_ends_a_transaction(emulator: Emulator) -> None:
    emulator.execute("create table t (a int)", "begin", "insert into t values (1)")
    emulator.execute("create table other (a int)", "rollback")
    assert emulator.query("select count(*) from t") == [(1,)]
    emulator.execute("begin", "insert into t values (2)", "rollback")
    assert emulator.query("select count(*) from t") == [(1,)]


def test_insert_overwrite_may_read_its_own_table(emulator: Emulator) -> None:
    emulator.execute("create table t as select column1 as a from (values (1), (2))")
    assert emulator.query("insert overwrite into t select a from t where a = 2") == [(1,)]
    assert emulator.query("select * from t") == [(2,)]


def test_many_literals_are_read_as_few_are(emulator: Emulator) -> None:
    """A seed's INSERT of thousands of rows takes another way through the emulator."""
    texts = ["it''s", "a\\\\b", "line\\nbreak", "comma, (bracket)", ""]
    rows = [f"({n}, '{text}', {n}.5, true, null)" for n, text in enumerate(texts * 60)]
    emulator.execute("create table few (n int, s varchar, d number(9, 2), b boolean, x date)")
    emulator.execute("create table many (n int, s varchar, d number(9, 2), b boolean, x date)")
    emulator.execute(f"insert into many (n, s, d, b, x) values {', '.join(rows)}")
    for start in range(0, len(rows), 20):
        emulator.execute(f"insert into few values {', '.join(rows[start : start + 20])}")
    many = emulator.query("select * from many order by n")
    assert many == emulator.query("select * from few order by n")
    assert many[1] == (1, "a\\b", Decimal("1.50"), True, None)


def test_tables_and_views_are_listed_with_their_comments(emulator: Emulator) -> None:
    emulator.execute(
        "create transient table t (a int, b varchar(10)) comment = 'a table'",
        "create view v (a comment $$the a$$) comment = 'a view' as select a from t",
        'alter table t alter "A" comment $$it\'s a$$, "B" comment $$b$$',
        "comment on table t is $$the 'table'$$",
        "alter table t add column c float, d date",
    )
    kinds = {row[1]: row[4] for row in emulator.query("show objects in schema")}
    assert kinds == {"T": "TABLE", "V": "VIEW"}
    assert emulator.query("show tables like 't' in schema")[0][4] == "TRANSIENT"
    schema = emulator.query("select current_schema()")[0][0]
    listed = "table_name, table_type, comment from analytics.information_schema.tables"
    assert emulator.query(f"select {listed} where table_schema = '{schema}' order by 1") == [
        ("T", "BASE TABLE", "the 'table'"),
        ("V", "VIEW", "a view"),
    ]
    columns = "table_name, column_name, data_type, comment from information_schema.columns"
    assert emulator.query(f"select {columns} where table_schema = '{schema}' order by 1, 2") == [
        ("T", "A", "NUMBER", "it's a"),
        ("T", "B", "TEXT", "b"),
        ("T", "C", "FLOAT", None),
        ("T", "D", "DATE", None),
        ("V", "A", "NUMBER", "the a"),
    ]
    described = [row[:2] for row in emulator.query("describe table t")]
    assert described[:2] == [("A", "NUMBER(38,0)"), ("B", "VARCHAR(10)")]


def test_the_information_schema_has_the_rows_of_each_table(emulator: Emulator) -> None:
    """ROW_COUNT: https://docs.snowflake.com/en/sql-reference/info-schema/tables."""
    emulator.execute(
        "create or replace schema counted",
        "create table counted.t (a number)",
        'create table counted."it\'s" (a number)',
        "create view counted.v as select * from counted.t",
        "insert into counted.t select seq4() from table(generator(rowcount => 100))",
        # What was deleted is counted no more.
        "delete from counted.t",
        "insert into counted.t select seq4() from table(generator(rowcount => 40))",
    )
    rows = (
        "select table_name, row_count from analytics.information_schema.tables "
        "where table_schema = 'COUNTED' order by 1"
    )
    assert emulator.query(rows) == [("T", 40), ("V", None), ("it's", 0)]
    emulator.execute("begin", "delete from counted.t where a < 10")
    assert emulator.query(rows)[0] == ("T", 30)
    with emulator.connect() as other, other.cursor() as cursor:
        assert cursor.execute(rows).fetchall()[0] == ("T", 40)
    emulator.execute("rollback")
    assert emulator.query(rows)[0] == ("T", 40)
    emulator.execute("drop schema counted")


# How a column is declared on DuckDB, and on Snowflake.
DECLARED = {
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp_ntz",
    "varchar": "varchar",
    "double": "double",
    "integer": "integer",
    "bigint": "bigint",
    "decimal(38, 0)": "number",
    "decimal(12, 0)": "number(12, 0)",
    "decimal(12, 2)": "number(12, 2)",
    "decimal(18, 2)": "number(18, 2)",
    "decimal(18, 6)": "number(18, 6)",
    "blob": "binary",
}
WHOLE_NUMBERS = {"integer", "bigint", "decimal(38, 0)"}


def test_kinds_of_columns_are_told_apart(emulator: Emulator, tmp_path: Path) -> None:
    """What comparisons of schemas go by: one is what Snowflake stores alike, whole numbers."""
    ((schema,),) = emulator.query("select current_schema()")
    emulator.execute(
        "create table t (" + ", ".join(f"c{n} {d}" for n, d in enumerate(DECLARED.values())) + ")"
    )
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        names = ", ".join(f"c{n} {d}" for n, d in enumerate(DECLARED))
        connection.execute(f"create table t ({names})")
        connection.execute(
            "create schema s; create table s.t as select sum(i) as i from range(3) t(i)"
        )
    (there,) = columns_on_duckdb(tmp_path / "t.duckdb", "main").values()
    (here,) = columns_on_snowflake(emulator, f"analytics.{schema}").values()
    assert here == there
    kinds = {declared: kind for declared, (_, kind) in zip(DECLARED, here, strict=True)}
    alike = {kind for kind in kinds.values() if list(kinds.values()).count(kind) > 1}
    assert {name for name, kind in kinds.items() if kind in alike} == WHOLE_NUMBERS
    assert len(alike) == 1
    # A sum of whole numbers that nobody has cast has no kind.
    with pytest.raises(KeyError, match="HUGEINT"):
        columns_on_duckdb(tmp_path / "t.duckdb", "s")
    emulator.execute("create table with_zone (at timestamp_tz)")
    with pytest.raises(KeyError, match="TIMESTAMP_TZ"):
        columns_on_snowflake(emulator, f"analytics.{schema}")


def test_grants_are_shown(emulator: Emulator) -> None:
    emulator.execute("create table t (a int)", "grant select on t to reader")
    granted = {(row[1], row[5]) for row in emulator.query("show grants on table t")}
    assert ("SELECT", "READER") in granted
    emulator.execute("revoke select on table t from role reader")
    assert "READER" not in {row[5] for row in emulator.query("show grants on t")}


def test_objects_to_come_have_the_grants_on_their_kind(emulator: Emulator) -> None:
    def readers(name: str) -> set[str]:
        return {row[5] for row in emulator.query(f"show grants on table {name}")} & {"R", "S"}

    schema = emulator.query("select current_schema()")[0][0]
    emulator.execute(
        "create table there (a int)",
        f"grant select on future tables in schema {schema} to role r",
        "create table t (a int)",
        "create view v as select a from t",
        f"create dynamic table d {LAG} as select a from t",
    )
    # Of what is there already and of other kinds it says nothing.
    assert [readers(name) for name in ("there", "t", "v", "d")] == [set(), {"R"}, set(), set()]
    emulator.execute(
        f"grant select on future views in schema {schema} to role r",
        f"grant select on future dynamic tables in schema {schema} to role r",
        f"grant select on all tables in schema {schema} to role s",
        "create or replace view v as select a from t",
        f"create or replace dynamic table d {LAG} as select a from t",
    )
    assert [readers(name) for name in ("there", "t", "v", "d")] == [{"S"}, {"R", "S"}, {"R"}, {"R"}]
    # A table that takes another's place is a new one, unless it copies the grants.
    emulator.execute("create or replace table t copy grants (a int)", "alter table t rename to u")
    assert readers("u") == {"R", "S"}
    emulator.execute("create or replace table u (a int)")
    assert readers("u") == {"R"}


def test_results_can_be_read_again(emulator: Emulator) -> None:
    emulator.query("show parameters like 'timezone'")
    scanned = 'select "key" from table(result_scan(last_query_id()))'
    assert emulator.query(scanned) == [("TIMEZONE",)]


# -- dynamic tables --------------------------------------------------------------------------------

LAG = "target_lag = '1 hour' warehouse = transforming"


def test_a_dynamic_table_is_stale_until_it_is_refreshed(emulator: Emulator) -> None:
    emulator.execute(
        "create table base as select 1 as a",
        f"create dynamic table first {LAG} as select a from base",
        f"create dynamic table second {LAG} as select sum(a) as a from first",
        "insert into base values (2)",
    )
    assert emulator.query("select a from second") == [(1,)]
    emulator.execute("alter dynamic table second refresh")
    assert emulator.query("select a from second") == [(3,)]
    assert emulator.query("select count(*) from first") == [(2,)]


def test_a_dynamic_table_can_not_read_a_view_over_another(emulator: Emulator) -> None:
    emulator.execute(
        "create table base as select 1 as a",
        f"create dynamic table first {LAG} as select a from base",
        "create view between_them as select a from first",
        "create view of_a_table as select a from base",
        f"create dynamic table allowed {LAG} as select a from of_a_table",
    )
    with pytest.raises(snowflake.connector.ProgrammingError, match="which queries a dynamic"):
        emulator.execute(f"create dynamic table second {LAG} as select a from between_them")


def test_a_refresh_stops_at_a_table_without_scheduler(emulator: Emulator) -> None:
    alone = "scheduler = 'DISABLE' warehouse = transforming"
    emulator.execute(
        "create table base as select 1 as a",
        f"create dynamic table first {alone} as select a from base",
        f"create dynamic table second {LAG} as select a from first",
        "insert into base values (2)",
        "alter dynamic table second refresh",
    )
    assert emulator.query("select count(*) from second") == [(1,)]
    emulator.execute("alter dynamic table first, second refresh")
    assert emulator.query("select count(*) from second") == [(2,)]


def test_show_dynamic_tables_has_what_dbt_reads(emulator: Emulator) -> None:
    emulator.execute(
        "create table base as select 1 as a",
        f"create or replace dynamic table d {LAG} refresh_mode = auto initialize = on_create "
        "cluster by (a) as (select a from base order by a limit 1)",
        "comment on dynamic table d is $$it's dynamic$$",
    )
    cursor = emulator.connection.cursor(snowflake.connector.DictCursor)
    row = cursor.execute("show dynamic tables like 'd' in schema").fetchone()
    assert row["target_lag"] == "1 hour"
    assert (row["warehouse"], row["cluster_by"]) == ("TRANSFORMING", "LINEAR(a)")
    assert (row["refresh_mode"], row["comment"]) == ("FULL", "it's dynamic")
    assert "LIMIT" in row["refresh_mode_reason"]
    assert row["text"].startswith("create or replace dynamic table d")
    assert cursor.execute("show objects like 'd' in schema").fetchone()["is_dynamic"] == "Y"
    emulator.execute("alter dynamic table d set target_lag = '2 minutes' warehouse = loading")
    emulator.execute("alter dynamic table d suspend")
    row = cursor.execute("show dynamic tables like 'd' in schema").fetchone()
    assert (row["target_lag"], row["warehouse"]) == ("2 minutes", "LOADING")
    assert row["scheduling_state"] == "SUSPENDED"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("insert into d values (1)", "DML is not supported"),
        ("delete from d", "DML is not supported"),
        ("create or replace table d as select 1 as a", "already exists as DYNAMIC TABLE"),
        ("drop dynamic table base", "not specified type 'DYNAMIC_TABLE'"),
        ("create dynamic table e target_lag = '30 seconds' warehouse = w as select a from base",
         "Invalid lag value"),
        ("create dynamic table e target_lag = '1 hour' as select a from base", "WAREHOUSE"),
        (f"create dynamic table e {LAG} refresh_mode = incremental as "
         "select a from base where exists (select 1 from d)", "incremental refresh"),
    ],
)  # fmt: skip
def test_dynamic_tables_refuse(emulator: Emulator, sql: str, words: str) -> None:
    emulator.execute(
        "create table base as select 1 as a", f"create dynamic table d {LAG} as select a from base"
    )
    assert words in refused(emulator, sql).msg


# -- stages ----------------------------------------------------------------------------------------


def test_files_go_to_a_stage_and_back(emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "library.zip"
    file.write_bytes(b"one")
    emulator.execute(
        "create stage plain encryption = (type = 'SNOWFLAKE_SSE')", "create stage secret"
    )
    for stage in ("plain", "secret"):
        emulator.execute(f"put 'file://{file}' @{stage}/sub auto_compress = false")
    plain, secret = emulator.query("list @plain")[0], emulator.query("list @secret")[0]
    assert plain[:3] == ("plain/sub/library.zip", 3, hashlib.md5(b"one").hexdigest())
    assert secret[2] != plain[2]
    file.write_bytes(b"two")
    emulator.execute(f"put 'file://{file}' @plain/sub auto_compress = false")
    assert emulator.query("list @plain/sub")[0][2] == plain[2]
    emulator.execute(f"put 'file://{file}' @plain/sub auto_compress = false overwrite = true")
    (tmp_path / "back").mkdir()
    emulator.execute(f"get @plain/sub 'file://{tmp_path / 'back'}'")
    assert (tmp_path / "back" / "library.zip").read_bytes() == b"two"
    emulator.execute("remove @plain/sub")
    assert emulator.query("list @plain") == []
    assert refused(emulator, "list @nothing").errno == 2003


def test_copy_loads_each_file_once(emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('a,b\n1,"x, y"\n2,""\n3,\n')
    emulator.execute(
        "create stage files",
        f"put file://{tmp_path}/rows.csv @files",
        "create file format csv_ type = csv skip_header = 1 field_optionally_enclosed_by = '\"'",
        "create table t (a int, b varchar)",
    )
    copy = "copy into t from @files file_format = (format_name = 'csv_')"
    assert emulator.query(copy)[0][:4] == ("files/rows.csv.gz", "LOADED", 3, 3)
    assert emulator.query(copy) == [("Copy executed with 0 files processed.",)]
    assert emulator.query("select * from t order by a") == [(1, "x, y"), (2, ""), (3, None)]
    staged = "select $2, metadata$filename from @files (file_format => 'csv_') where $1 = '1'"
    assert emulator.query(staged) == [("x, y", "files/rows.csv.gz")]


def test_a_temporary_file_format_is_of_its_session(emulator: Emulator) -> None:
    emulator.execute("create file format kept type = csv", "create temp file format mine type=csv")
    shown = "show file formats in account"
    assert {"KEPT", "MINE"} <= {row[1] for row in emulator.query(shown)}
    with emulator.connect() as other, other.cursor() as cursor:
        names = {row[1] for row in cursor.execute(shown).fetchall()}
    assert "KEPT" in names
    assert "MINE" not in names


def test_copy_reads_parquet_by_name(emulator: Emulator, tmp_path: Path) -> None:
    rows = pa.table({"a": [1, None], "x": [b"\x00\xff", None]})
    pq.write_table(rows, tmp_path / "rows.parquet")
    emulator.execute(
        "create stage files",
        f"put file://{tmp_path}/rows.parquet @files auto_compress = false",
        "create table t (x binary, a int)",
        "copy into t from @files file_format = (type = parquet binary_as_text = false) "
        "match_by_column_name = case_insensitive",
    )
    assert [(bytes(x or b""), a) for x, a in emulator.query("select * from t order by a")] == [
        (b"\x00\xff", 1),
        (b"", None),
    ]


# -- procedures ------------------------------------------------------------------------------------


def test_a_procedure_runs_in_the_session_of_its_caller(emulator: Emulator) -> None:
    emulator.execute("create temporary table mine as select 5 as a")
    body = """
    print("dropped")
    session.sql("create temporary table made as select 6 as b").collect()
    return str([session.table("mine").collect()[0]["A"], session.get_current_schema()])
    """
    schema = emulator.query("select current_schema()")[0][0]
    assert in_procedure(emulator, body) == f"[5, '\"{schema}\"']"
    assert emulator.query("select b from made") == [(6,)]
    inside = [entry for entry in emulator.statements() if entry["inside_procedure"]]
    assert any("create temporary table made" in entry["sql"] for entry in inside)


def test_a_session_that_ran_a_procedure_ends_with_its_connection(emulator: Emulator) -> None:
    emulator.execute("create table counted as select 1 as a")
    schema = emulator.query("select current_schema()")[0][0]
    body = "return str(session.sql('select 1').collect()[0][0])"
    connection = emulator.connect(database="analytics", schema=schema)
    with connection.cursor() as cursor:
        cursor.execute(procedure(body))
        cursor.execute("begin")
        cursor.execute("update counted set a = 2")
    connection.close()
    emulator.execute("update counted set a = a + 2")
    assert emulator.query("select a from counted") == [(3,)]


def test_only_declared_packages_can_be_imported(emulator: Emulator) -> None:
    only = "'snowflake-snowpark-python'"
    body = """
    import importlib.util
    assert importlib.util.find_spec("sklearn") is None
    import sklearn
    """
    error = refused_in_procedure(emulator, body, only)
    assert (error.errno, error.sqlstate) == (100357, "P0000")
    assert "No module named 'sklearn'" in error.msg
    assert 'File "_udf_code.py", line 6, in main' in error.msg
    assert "in function MODEL__DBT_SP with handler main" in error.msg
    assert in_procedure(emulator, "import sklearn; return 'ok'", f"{only}, 'scikit-learn'") == "ok"
    unknown = refused_in_procedure(emulator, "return 1", f"{only}, 'no-such-package'")
    assert unknown.errno == 391546
    assert "no-such-package" in unknown.msg


def refused_in_procedure(
    emulator: Emulator, body: str, packages: str, more: str = ""
) -> snowflake.connector.Error:
    with pytest.raises(snowflake.connector.Error) as caught:
        in_procedure(emulator, body, packages, more)
    return caught.value


def test_only_staged_files_can_be_imported(emulator: Emulator, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("customer_insights/__init__.py", "WHERE = 'the stage'\n")
    (tmp_path / "words.txt").write_text("hello")
    emulator.execute(
        "create stage lib",
        f"put file://{tmp_path}/lib.zip @lib auto_compress = false",
        f"put file://{tmp_path}/words.txt @lib auto_compress = false",
    )
    only = "'snowflake-snowpark-python'"
    missing = refused_in_procedure(emulator, "import customer_insights", only)
    assert "No module named 'customer_insights'" in missing.msg
    body = """
    import sys
    import customer_insights
    folder = sys._xoptions["snowflake_import_directory"]
    return customer_insights.WHERE + open(folder + "words.txt").read()
    """
    imports = "imports = ('@lib/lib.zip', '@lib/words.txt')"
    assert in_procedure(emulator, body, only, imports) == "the stagehello"
    twice = "imports = ('@lib/words.txt', '@lib/more/words.txt')"
    emulator.execute(f"put file://{tmp_path}/words.txt @lib/more auto_compress = false")
    assert "words.txt" in refused_in_procedure(emulator, "return 1", only, twice).msg
    unknown = refused_in_procedure(emulator, "return 1", only, "imports = ('@lib/nothing.zip')")
    assert "nothing.zip" in unknown.msg
    assert unknown.sqlstate == "02000"


def test_snowpark_frames_keep_their_values(emulator: Emulator) -> None:
    body = """
    import datetime, pandas, pyarrow as pa
    from snowflake.snowpark import functions as F
    table = pa.table({
        "ID": pa.array([1, 2, None]),
        "F": pa.array([0.1 + 0.2, None, 1e-300]),
        "S": pa.array(["it's", None, "back\\\\slash"]),
        "X": pa.array([bytes([0, 255]), None, b""]),
        "D": pa.array([datetime.date(2024, 1, 1), None, None]),
        "T": pa.array([datetime.datetime(2024, 1, 1, 1, 2, 3, 456789), None, None],
                      pa.timestamp("us")),
        "B": pa.array([True, None, False]),
    })
    frame = session.create_dataframe(table)
    frame.write.mode("overwrite").save_as_table("arrow", table_type="transient")
    back = session.table("arrow").to_arrow()
    assert back.column_names == table.column_names
    key = lambda row: (row["ID"] is None, row["ID"])
    mine = sorted(table.to_pylist(), key=key)
    theirs = sorted(back.cast(table.schema.set(5, table.schema.field("T"))).to_pylist(), key=key)
    assert theirs == mine, (theirs, mine)

    listed = session.create_dataframe([[1, None, b"x"], [2, "b", None]], schema=["a", "b", "c"])
    listed.write.mode("overwrite").save_as_table("listed", table_type="temporary")
    assert [tuple(row) for row in session.table("listed").sort("A").collect()] == [
        (1, None, bytearray(b"x")), (2, "b", None)]
    frames = session.create_dataframe(pandas.DataFrame({"A": [1, 2], "B": ["x", None]}))
    assert frames.count() == 2
    one, other = session.table("arrow"), session.table("listed")
    assert one.join(other, one["ID"] == other["A"], "leftsemi").count() == 2
    assert one.join(other, one["ID"] == other["A"], "leftanti").count() == 1
    chosen = one.select(F.iff(F.col("ID") == 1, F.lit("a"), F.lit("b")).alias("w"),
                        F.when(F.col("ID") > 1, 1).otherwise(2).alias("v"))
    assert sorted(map(tuple, chosen.with_column("u", F.lit(0)).union_all(
        session.sql("select 'q', 9, 1")).collect())) == [
        ("a", 2, 0), ("b", 1, 0), ("b", 2, 0), ("q", 9, 1)]
    many = session.create_dataframe([[n, n / 3] for n in range(600)], schema=["N", "X"])
    assert many.agg(F.sum("N")).collect()[0][0] == 179700
    return "same"
    """
    assert in_procedure(emulator, body) == "same"


def test_stored_procedures_take_arguments(emulator: Emulator) -> None:
    emulator.execute(
        f"create procedure p(a int, b varchar) returns float {PYTHON} "
        "packages = ('snowflake-snowpark-python') handler = 'main' as $$\n"
        "def main(session, a, b):\n    return a + len(b)\n$$"
    )
    assert emulator.query("call p(1, 'xyz')") == [(4.0,)]
    assert refused(emulator, "call p(1)").errno == 1044
    emulator.execute("drop procedure p(int, varchar)")
    assert refused(emulator, "call p(1, 'xyz')").errno == 2141


def test_arguments_may_have_defaults(emulator: Emulator) -> None:
    emulator.execute(
        f"create procedure q(a int, b varchar default 'x, y') returns float {PYTHON} "
        "packages = ('snowflake-snowpark-python') handler = 'main' as $$\n"
        "def main(session, a, b):\n    return a + len(b)\n$$"
    )
    assert emulator.query("call q(1)") == [(5.0,)]
    assert emulator.query("call q(1, 'z')") == [(2.0,)]
    assert refused(emulator, "call q()").errno == 1044


# -- functions -------------------------------------------------------------------------------------

HANDLERS = """
import pandas

def add(a, b):
    return None if a is None else a + len(b or "")

def twice(df):
    return df[0] * 2

twice._sf_vectorized_input = pandas.DataFrame
twice._sf_max_batch_size = 300

def batches(df):
    return [[len(df), *map(str, df.dtypes)]] * len(df)

batches._sf_vectorized_input = pandas.DataFrame

def fails(a):
    raise ValueError(f"no {a}")
"""


@pytest.fixture
def handlers(emulator: Emulator, tmp_path: Path) -> str:
    """The clauses of a function whose handler is in a staged zip."""
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("handlers/__init__.py", HANDLERS)
    emulator.execute(
        "create stage lib", f"put file://{tmp_path}/lib.zip @lib auto_compress = false"
    )
    return f"{PYTHON} packages = ('pandas') imports = ('@lib/lib.zip') handler = 'handlers."


def test_a_scalar_function_gets_a_row_at_a_time(emulator: Emulator, handlers: str) -> None:
    emulator.execute(f"create function f(a float, b varchar) returns float {handlers}add'")
    schema = emulator.query("select current_schema()")[0][0]
    assert emulator.query(f"select f(1, 'abc'), analytics.{schema}.f(null, 'x')") == [(4.0, None)]
    emulator.execute("create view v as select f(2, 'a') as made")
    emulator.execute(f"create or replace function f(a float, b varchar) returns float {PYTHON} "
                     "handler = 'g' as $$\ndef g(a, b):\n    return -a\n$$")  # fmt: skip
    assert emulator.query("select made from v") == [(-2.0,)]
    emulator.execute("drop function f(float, varchar)")
    assert refused(emulator, "select f(1, 'a')").errno == 2140


def test_a_vectorised_function_gets_batches(emulator: Emulator, handlers: str) -> None:
    rows = "(select seq4() as n from table(generator(rowcount => 5000)))"
    emulator.execute(
        f"create temporary function twice(a float) returns float {handlers}twice'",
        f"create function batches(a int, b number(4, 0), c float, d varchar, e date, f boolean, "
        f"g number(9, 2), h timestamp_ntz) returns array {handlers}batches'",
    )
    assert emulator.query(f"select sum(twice(n)) from {rows}") == [(4999.0 * 5000,)]
    made = emulator.query(
        "select batches(n, 1, n, 'x', '2024-01-01', true, 1.5, '2024-01-01'::timestamp_ntz) "
        f"from {rows}"
    )
    sizes = {json.loads(row[0])[0] for row in made}
    assert max(sizes) <= 4096
    assert len(sizes) > 1 or 5000 not in sizes
    assert json.loads(made[0][0])[1:] == [
        "Int64", "Int16", "float64", "string", "datetime64[ns]", "boolean", "object",
        "datetime64[ns]",
    ]  # fmt: skip
    first = (
        "select value::int from lateral flatten(input => batches(1,1,1,'x',null,null,null,null))"
    )
    assert emulator.query(f"{first} where index = 0") == [(1,)]


def test_nan_of_a_vectorised_function_is_null(emulator: Emulator, handlers: str) -> None:
    emulator.execute(
        f"create function twice(a float) returns float {handlers}twice'",
        f"create function same(a float) returns float {PYTHON} handler = 'same' as "
        "$$\ndef same(a):\n    return a\n$$",
    )
    null, number = emulator.query("select twice(null), same('nan'::float)")[0]
    assert null is None
    assert math.isnan(number)


def test_what_a_handler_raises_is_in_the_error(emulator: Emulator, handlers: str) -> None:
    emulator.execute(f"create function fails(a int) returns int {handlers}fails'")
    error = refused(emulator, "select fails(7)")
    assert error.errno == 100357
    assert "ValueError: no 7" in error.msg
    assert "in function FAILS with handler handlers.fails" in error.msg
    emulator.execute(
        f"create function undeclared() returns int {PYTHON} imports = ('@lib/lib.zip') "
        "handler = 'handlers.fails'"
    )
    assert "No module named 'pandas'" in refused(emulator, "select undeclared()").msg


# -- Cortex ----------------------------------------------------------------------------------------


def test_cortex_counts_the_texts_that_are_sent(emulator: Emulator) -> None:
    emulator.execute("create table t as select column1 as x from (values ('I love it'), (null))")
    labels = "ai_sentiment(x):categories[0]:sentiment::varchar"
    assert emulator.query(f"select {labels} from t order by 1 nulls last") == [
        ("positive",),
        (None,),
    ]
    assert emulator.statements()[-1]["cortex_calls"] == 1
    assert emulator.query("select ai_classify('x', ['a', 'b']):labels[0]::varchar")[0][0] in "ab"
    assert emulator.query("select ai_translate('x', 'en', 'de')") == [("[en>de] x",)]
    assert emulator.query("select snowflake.cortex.sentiment('broke')") == [(-0.8,)]
    assert emulator.query("select ai_sentiment('cortex-null')") == [(None,)]
    assert "Request failed" in refused(emulator, "select ai_sentiment('cortex-error')").msg


# -- dbt -------------------------------------------------------------------------------------------

PROJECT = {
    "dbt_project.yml": """
        name: toy
        version: "1.0"
        config-version: 2
        profile: toy
        flags: {send_anonymous_usage_stats: false}
        models: {+persist_docs: {relation: true, columns: true}}
        seeds: {+persist_docs: {relation: true, columns: true}}
        """,
    "seeds/orders_seed.csv": """\
        order_id,customer,amount,ordered_at,is_paid
        1,ann,1.50,2024-01-01 10:00:00,true
        2,bob's,2.25,2024-01-02 11:00:00,false
        3,cat,,2024-01-03 12:00:00,
        """,
    "models/orders.sql": """
        select order_id, customer, amount, ordered_at from {{ ref('orders_seed') }}
        where order_id <= {{ env_var('UPTO', '2') }}
        """,
    "models/totals.sql": """
        {{ config(materialized='table', grants={'select': ['reader']}, query_tag='totals') }}
        select *, sum(amount) over () as total from {{ ref('orders') }}
        """,
    "models/contracted.sql": """
        {{ config(materialized='table', contract={'enforced': true}) }}
        select
            cast(order_id as {{ env_var('KEY_TYPE', 'integer') }}) as order_id,
            cast(customer as varchar) as {{ env_var('CUSTOMER_NAME', 'customer') }}
        from {{ ref('orders') }}
        """,
    "models/contracted_view.sql": """
        {{ config(materialized='view', contract={'enforced': true}) }}
        select order_id, customer from {{ ref('contracted') }}
        """,
    "models/merged.sql": """
        {{ config(materialized='incremental', unique_key='order_id') }}
        select order_id, customer from {{ ref('orders') }}
        """,
    "models/deleted_inserted.sql": """
        {{ config(materialized='incremental', incremental_strategy='delete+insert',
                  unique_key='order_id') }}
        select order_id, customer from {{ ref('orders') }}
        """,
    "models/appended.sql": """
        {{ config(materialized='incremental', incremental_strategy='append') }}
        select order_id, customer from {{ ref('orders') }}
        """,
    "models/dynamic.sql": """
        {{ config(materialized='dynamic_table', target_lag='1 hour',
                  snowflake_warehouse='TRANSFORMING') }}
        select customer, count(*) as order_count from {{ ref('totals') }} group by customer
        """,
    "models/scored.py": """
        def model(dbt, session):
            dbt.config(materialized="incremental", unique_key="ORDER_ID",
                       packages=["pandas", "pyarrow"])
            import pandas
            orders = dbt.ref("orders").to_pandas()
            past = session.table(str(dbt.this)).count() if dbt.is_incremental else 0
            return pandas.DataFrame({"ORDER_ID": orders["ORDER_ID"], "PAST": past})
        """,
    "models/_models.yml": """
        models:
          - name: orders
            description: "it's a view"
            columns:
              - {name: order_id, description: the key, data_tests: [unique, not_null]}
          - name: totals
            columns: [{name: total, description: the sum}]
          - name: contracted
            columns:
              - {name: order_id, data_type: integer, constraints: [{type: not_null}]}
              - {name: customer, data_type: varchar}
          - name: contracted_view
            columns:
              - {name: order_id, data_type: integer}
              - {name: customer, data_type: varchar}
          - name: dynamic
            description: a dynamic table
        snapshots:
          - name: history
            relation: ref('orders')
            config: {strategy: check, unique_key: order_id, check_cols: [customer, amount]}
        unit_tests:
          - name: totals_add_up
            model: totals
            given:
              - input: ref('orders')
                rows: [{order_id: 1, amount: 1}, {order_id: 2, amount: 2}]
            expect:
              rows: [{order_id: 1, total: 3}, {order_id: 2, total: 3}]
        """,
}  # fmt: skip


class Toy:
    """The project in a folder, and a dbt that has parsed it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Its own profile, whatever the caller's environment says.
        self.worker = DbtWorker(folder, [], os.environ | {"DBT_PROFILES_DIR": str(folder)})

    def dbt(self, *arguments: str, **variables: str) -> Answer:
        return self.worker.call(self.folder, ["--quiet", *arguments], variables)

    def build(self, *arguments: str, upto: int = 2) -> dict[str, str]:
        answer = self.dbt(*arguments, UPTO=str(upto))
        assert answer.exit_code == 0, answer.output
        return dict(answer.statuses)


@pytest.fixture(scope="module")
def toy(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    folder = tmp_path_factory.mktemp("toy")
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text))
    profile = {
        "type": "snowflake", "account": "test", "host": account.host, "port": account.port,
        "protocol": "http", "user": "tester", "password": "any", "role": "transformer",
        "warehouse": "transforming", "database": "analytics", "schema": "toy", "threads": 4,
    }  # fmt: skip
    written = {"toy": {"target": "dev", "outputs": {"dev": profile}}}
    (folder / "profiles.yml").write_text(json.dumps(written))
    opened = Toy(folder)
    yield opened
    opened.worker.close()


def test_dbt_builds_again_and_again(account: Emulator, toy: Toy) -> None:
    def count_of(name: str) -> int:
        found: int = account.query(f"select count(*) from analytics.toy.{name}")[0][0]
        return found

    incremental = ("merged", "deleted_inserted", "appended", "scored", "history")
    assert set(toy.build("build").values()) <= {"success", "pass"}
    assert [count_of(name) for name in incremental] == [2, 2, 2, 2, 2]
    toy.build("build", upto=3)
    assert [count_of(name) for name in incremental] == [3, 3, 5, 3, 3]
    assert account.query("select max(past) from analytics.toy.scored") == [(2,)]
    # The dynamic table was not refreshed: dbt leaves that to the target lag.
    assert count_of("dynamic") == 2
    toy.build("build", "--full-refresh", upto=3)
    assert [count_of(name) for name in incremental] == [3, 3, 3, 3, 3]
    left = account.query("show objects like '%__dbt%' in schema analytics.toy")
    assert left == []
    tags = {entry["query_tag"] for entry in account.statements() if "totals" in entry["sql"]}
    assert "totals" in tags
    granted = account.query("show grants on table analytics.toy.totals")
    assert ("SELECT", "READER") in {(row[1], row[5]) for row in granted}

    toy.build("docs", "generate")
    catalog = json.loads((toy.folder / "target" / "catalog.json").read_text())["nodes"]
    kinds = {key.rpartition(".")[2]: node["metadata"]["type"] for key, node in catalog.items()}
    assert kinds == {
        **dict.fromkeys(("orders", "contracted_view"), "VIEW"),
        **dict.fromkeys(("orders_seed", "totals", "contracted", *incremental), "BASE TABLE"),
        "dynamic": "DYNAMIC TABLE",
    }
    columns = catalog["model.toy.orders"]["columns"]
    assert columns["ORDER_ID"]["comment"] == "the key"
    assert catalog["model.toy.orders"]["metadata"]["comment"] == "it's a view"
    assert all(name.isupper() for node in catalog.values() for name in node["columns"])


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        # A column of another type, and one that is missing.
        ("KEY_TYPE", "varchar", ("| ORDER_ID", "TEXT", "FIXED", "data type mismatch")),
        ("CUSTOMER_NAME", "client", ("| CUSTOMER", "missing in definition", "| CLIENT")),
    ],
)
def test_what_breaks_its_contract_is_not_built(
    account: Emulator, toy: Toy, variable: str, value: str, said: tuple[str, ...]
) -> None:
    table = "select order_id, customer from analytics.toy.contracted order by 1"
    toy.build("build", "--select", "+contracted_view")
    before = account.query(table)
    assert len(before) == 2
    answer = toy.dbt("build", "--select", "contracted+", UPTO="3", **{variable: value})
    assert answer.exit_code == 1
    assert answer.statuses["contracted"] == "error"
    assert "This model has an enforced contract that failed." in answer.messages["contracted"]
    assert [words for words in said if words not in answer.messages["contracted"]] == []
    # What reads it is left alone, and so is the table of the earlier build.
    assert answer.statuses["contracted_view"] == "skipped"
    assert account.query(table) == before


def test_statements_are_quick(emulator: Emulator) -> None:
    """A build sends hundreds: a delay in each, such as of small packets, would be felt."""
    emulator.query("select 1 as one")
    started = time.perf_counter()
    for _ in range(40):
        emulator.query("select 1 as one")
    assert time.perf_counter() - started < 3


# -- notifications ---------------------------------------------------------------------------------


def test_a_notification_is_what_its_integration_makes_of_the_text(emulator: Emulator) -> None:
    send = (
        "call system$send_snowflake_notification(snowflake.notification.text_plain("
        "snowflake.notification.sanitize_webhook_content({})), "
        "snowflake.notification.integration('hook'))"
    )
    assert "'HOOK' does not exist or not authorized" in str(refused(emulator, send.format("'a'")))
    emulator.execute(
        "create notification integration hook type = webhook enabled = true "
        "webhook_url = 'https://hooks.slack.com/services/SNOWFLAKE_WEBHOOK_SECRET' "
        """webhook_body_template = '{"text": "SNOWFLAKE_WEBHOOK_MESSAGE"}'"""
    )
    emulator.execute(send.format("'it''s SNOWFLAKE_WEBHOOK_SECRET'"))
    assert emulator.statements()[-1]["notifications"] == [
        {"integration": "HOOK", "body": {"text": "it's REDACTED"}}
    ]
    for text in (r"'a\nb'", """'a "b"'""", r"'a\\b'"):
        assert "Error parsing JSON" in str(refused(emulator, send.format(text)))
    assert "notifications" not in emulator.statements()[-1]
