"""A customer who is erased is nowhere: in no table and column, at once and after the next build."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from conftest import PROJECT_DIR, DbtProject, create_dbt_project
from helpers import BUILD, SETTINGS, DbtWorker, change, contents, copy_of, put_raw, rows_of, shop

from customer_insights.sample import ShopConfig

BUILT_WITH = {
    "MIN_TRAIN_ROWS": "300",
    "MIN_RATED_TEXTS": "200",
    "MIN_CLASS_ROWS": "10",
    "REVIEW_TEST_DAYS": "120",
}
KEY = {"ERASURE_KEY": "a key of the tests only"}
# An id that ends a literal of SQL, a string of JSON and a line of CSV where it is not quoted.
WHO = 'Anne O\'Hara\\ "7"; --'
NAME = "O'Hara"  # as it stands in a record, too, where quotes are written otherwise
SAID = "The zither from Quillingham arrived in a violet crate."
TITLE = "Quillingham forever"
SHARED = "Everybody says exactly this about everything they ever bought here."
ATTRIBUTES = "gender, age, location, plan"
# What stands for the customer beside the id: keys that lead to them in the shop's other systems.
KEYS = ("order-of-hers", "session-of-hers", "visitor-of-hers", "review-of-hers", "unsigned-session")
# A version that learned before the customer came, or from the time after; in each log of decisions.
STRANGER = "knew her not"
BEFORE = "date '2001-01-01' as train_from_on, date '2001-12-31' as test_to_on"
AFTER = "date '2999-01-01' as train_from_on, date '2999-12-31' as test_to_on"
KNEW_HER_NOT = [
    *(
        (f"{task}_trained", learned)
        for task in ("churn", "purchase_intent", "review_sentiment")
        for learned in (BEFORE, AFTER)
    ),
    ("product_recommendations_trained", BEFORE),
    ("review_sentiment_folds", "timestamp '2001-01-01' as trained_before_at"),
    ("topics_trained", "timestamp '2001-01-01' as decided_at"),
]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def with_a_customer_to_forget(project: DbtProject, folder: Path) -> Path:
    """Names and texts that nothing else holds; a file with a row that is rejected."""
    her = f"customer_id = {quoted(WHO)}"
    tables = ("customers", "orders", "sessions", "reviews")
    change(
        project,
        """
        create table who as
        select customer_id
        from raw.reviews join raw.orders using (customer_id) join raw.sessions using (customer_id)
        group by 1 order by count(distinct order_id) desc, 1 limit 1
        """,
        *(
            f"update raw.{table} set {her} where customer_id in (select customer_id from who)"
            for table in tables
        ),
        "drop table who",
        f"""
        update raw.reviews
        set review_id = 'review-of-hers', title = {quoted(TITLE)}, text = {quoted(SAID)}
        where review_id = (select min(review_id) from raw.reviews where {her})
        """,
        # The same words by her and by somebody else: they are somebody else's, too.
        f"""
        insert into raw.reviews
        select * replace ('shared-of-hers' as review_id, null as title, {quoted(SHARED)} as text)
        from raw.reviews where review_id = 'review-of-hers'
        """,
        f"""
        update raw.reviews set title = null, text = {quoted(SHARED)}
        where review_id = (select min(review_id) from raw.reviews where not {her})
        """,
        *(
            f"""
            insert into raw.{table} select * replace ('order-of-hers' as order_id)
            from raw.{table} where order_id = (
                select min(order_id) from raw.orders where {her} and order_id <> 'order-of-hers'
            )
            """
            for table in ("order_items", "orders")
        ),
        # Rejected by staging, which keeps the row as text.
        """
        insert into raw.orders
        select * replace ('order-of-hers-bad' as order_id, -1 as discount_amount)
        from raw.orders where order_id = 'order-of-hers'
        """,
        f"""
        insert into raw.sessions
        select * replace ('session-of-hers' as session_id, 'visitor-of-hers' as visitor_id)
        from raw.sessions where session_id = (select min(session_id) from raw.sessions where {her})
        """,
        """
        insert into raw.sessions
        select * replace ('unsigned-session' as session_id, null as customer_id)
        from raw.sessions where session_id = 'session-of-hers'
        """,
        "alter table raw.customers add column mail varchar",
        f"update raw.customers set mail = 'anne@quillingham.example' where {her}",
    )
    file = folder / "customers.csv"
    as_csv = WHO.replace('"', '""')
    file.write_text(
        "customer_id,signed_up_on,age\n"
        f'"{as_csv}",the day before,33\n'
        "somebody-else,2024-01-01,44\n",
        encoding="utf-8",
    )
    return file


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWorker]:
    worker = DbtWorker(tmp_path_factory.mktemp("dbt"), **BUILT_WITH)
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def built(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A shop with the customer in it, built once."""
    project = create_dbt_project(tmp_path_factory.mktemp("erasure"))
    put_raw(project, shop(ShopConfig(scale=0.4)))
    file = with_a_customer_to_forget(project, project.folder)
    load(dbt, project, file)
    dbt.run(project, *BUILD)
    return project


def load(dbt: DbtWorker, project: DbtProject, file: Path, **env: str) -> str:
    arguments = json.dumps({"path": str(file), "table": "customers"})
    return dbt.run(project, "run-operation", "load_files", "--args", arguments, env=env).output


def forget(
    dbt: DbtWorker, project: DbtProject, check: bool = True, **arguments: object
) -> tuple[int, str]:
    answer = dbt.run(
        project,
        "run-operation",
        "forget_customer",
        "--args",
        json.dumps(arguments),
        env=KEY,
        check=check,
    )
    return answer.exit_code, answer.output


def places(project: DbtProject, *needles: str) -> dict[str, set[str]]:
    """Every column of every table and view that holds a text anywhere in a value, by text."""
    found: dict[str, set[str]] = {}
    with duckdb.connect(str(project.database), read_only=True) as connection:
        columns: dict[str, list[tuple[str, bool]]] = {}
        for table, column, kind in connection.execute(
            "select table_schema || '.' || table_name, column_name, data_type "
            "from information_schema.columns order by all"
        ).fetchall():
            columns.setdefault(table, []).append((column, kind == "BLOB"))
        for table, named in columns.items():
            # A view is computed once, whatever is looked for.
            counted = [
                f'count(*) filter (where contains(hex("{column}"), hex({quoted(needle)})))'
                if is_blob
                else f'count(*) filter (where contains(cast("{column}" as varchar), '
                f"{quoted(needle)}))"
                for needle in needles
                for column, is_blob in named
            ]
            (row,) = connection.execute(f"select {', '.join(counted)} from {table}").fetchall()
            asked = [(needle, column) for needle in needles for column, _ in named]
            for (needle, column), count in zip(asked, row, strict=True):
                if count:
                    found.setdefault(needle, set()).add(f"{table}.{column}")
    return found


def everywhere(project: DbtProject) -> dict[str, set[str]]:
    return places(project, WHO, NAME, SAID, TITLE, *KEYS)


@pytest.fixture(scope="module")
def forgotten(dbt: DbtWorker, built: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The shop after the customer was erased, and what the call said.

    While she is erased there are versions, too, that cannot have known her.
    """
    project = copy_of(built, tmp_path_factory.mktemp("forgotten"))
    for table, learned in KNEW_HER_NOT:
        of = f"insights_internal.{table}"
        replaced = f"{learned}, '{STRANGER}' as model_version"
        change(project, f"insert into {of} select * replace ({replaced}) from {of}")
        assert project.query(f"select 1 from {of} where model_version = '{STRANGER}' limit 1")
    _, output = forget(dbt, project, customer_id=WHO)
    for table, _ in KNEW_HER_NOT:
        change(project, f"delete from insights_internal.{table} where model_version = '{STRANGER}'")
    return project, output


def test_the_customer_is_in_many_places_before(built: DbtProject) -> None:
    found = everywhere(built)
    assert len(found[WHO]) >= 30
    for table in (
        "insights_history.customer_history.customer_id",
        "insights_internal.churn_scored.customer_id",
        "insights.purchase_intent_scores.customer_id",
        "insights_internal.product_recommendations_scored.customer_id",
    ):
        assert table in found[WHO]
    assert "raw.load_rejects.record" in found[NAME]
    assert "insights_staging.rejected_rows.record" in found[NAME]
    assert "insights_internal.review_distinct_texts.masked_text" in found[SAID]
    assert set(KEYS) <= set(found)


def test_the_customer_is_nowhere_afterwards(forgotten: tuple[DbtProject, str]) -> None:
    project, output = forgotten
    assert everywhere(project) == {}
    assert WHO not in output
    assert re.search(r"Deleted [\d,]+ rows of \d+ tables. \d+ model versions may have", output)


def test_nobody_else_is_touched(built: DbtProject, forgotten: tuple[DbtProject, str]) -> None:
    project, _ = forgotten
    for table, hers in {
        "raw.customers": f"customer_id = {quoted(WHO)}",
        "raw.orders": f"customer_id = {quoted(WHO)}",
        "raw.reviews": f"customer_id = {quoted(WHO)}",
        "raw.sessions": f"customer_id = {quoted(WHO)} or session_id = 'unsigned-session' or "
        f"session_id in (select session_id from raw.orders where customer_id = {quoted(WHO)})",
        "insights_internal.churn_scored": f"customer_id = {quoted(WHO)}",
        "insights_history.customer_history": f"customer_id = {quoted(WHO)}",
    }.items():
        kept = rows_of(
            built, f"select * from {table} where not coalesce({hers}, false) order by all"
        )
        assert rows_of(project, f"select * from {table} order by all") == kept
    shared = (
        "select content_hash from insights_internal.review_texts "
        f"where masked_text = {quoted(SHARED)}"
    )
    for table in ("review_sentiment_predicted", "review_aspects_found", "review_topics_assigned"):
        query = (
            f"select * from insights_internal.{table} where content_hash in ({shared}) order by all"
        )
        assert rows_of(project, query) == rows_of(built, query)
    assert rows_of(project, shared)


def test_models_that_knew_the_customer_are_marked_and_nobody_is_named(
    built: DbtProject, forgotten: tuple[DbtProject, str]
) -> None:
    project, _ = forgotten
    (erasure,) = rows_of(project, "select * from insights_internal.erasures")
    assert erasure["erasure_mode"] == "delete"
    assert re.fullmatch("[0-9a-f]{64}", erasure["customer_digest"])
    marks = rows_of(project, "select * from insights.model_erasures")
    assert {mark["erasure_count"] for mark in marks} == {1}
    assert {mark["model_name"] for mark in marks if mark["is_serving"]} >= {
        "churn",
        "purchase_intent_in_session",
        "product_recommendations",
    }
    # Before she was erased a version that had not known her stood in each log.
    assert STRANGER not in {
        version
        for (version,) in project.query(
            "select model_version from insights_internal.erased_training_rows"
        )
    }
    hashes = {
        (row["model_name"], row["model_version"]): row["training_set_hash"]
        for row in rows_of(built, "select * from insights.model_runs")
    }
    for mark in marks:
        if (mark["model_name"], mark["model_version"]) in hashes:
            key = (mark["model_name"], mark["model_version"])
            assert mark["training_set_hash"] == hashes[key]


def test_a_second_call_finds_nobody(dbt: DbtWorker, forgotten: tuple[DbtProject, str]) -> None:
    project, _ = forgotten
    before = contents(project)
    code, output = forget(dbt, project, check=False, customer_id=WHO)
    assert code != 0
    assert "so nothing was erased; the log of erasures says that this was done before" in output
    assert contents(project) == before


@pytest.mark.long
def test_a_file_does_not_bring_the_customer_back_and_neither_does_the_next_build(
    dbt: DbtWorker, forgotten: tuple[DbtProject, str], tmp_path: Path
) -> None:
    project = copy_of(forgotten[0], tmp_path)
    (old,) = project.query("select file from raw.load_manifest")[0]
    assert "Already loaded" in load(dbt, project, Path(old), **KEY)
    new = tmp_path / "newer.csv"
    new.write_text(Path(old).read_text(encoding="utf-8").replace("the day before", "2024-02-03"))
    unknown = load(dbt, copy_of(project, made(tmp_path / "unknown")), new)
    assert "ERASURE_KEY is not set" in unknown
    assert "1 rejected" in load(dbt, project, new, **KEY)
    assert project.query(
        "select reason, record, count(*) from raw.load_rejects group by all order by all"
    ) == [("customer_id: erased on request", "erased", 1), ("erased", "erased", 1)]
    dbt.run(project, *BUILD)
    assert everywhere(project) == {}
    counted = ("run-operation", "count_returned_customers")
    assert "No customer who was erased is in raw." in dbt.run(project, *counted, env=KEY).output
    change(
        project,
        f"update raw.orders set customer_id = {quoted(WHO)} where order_id = "
        "(select min(order_id) from raw.orders)",
    )
    answer = dbt.run(project, *counted, env=KEY, check=False)
    assert answer.exit_code != 0
    assert "1 row of raw.orders are of customers who were erased: 1" in answer.output


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.long
def test_pseudonymised_orders_and_sessions_stay_without_the_person(
    dbt: DbtWorker, built: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(built, tmp_path)
    forget(dbt, project, customer_id=WHO, mode="pseudonymise")
    assert places(project, WHO, NAME, SAID, TITLE, *KEYS, "quillingham") == {}
    for table in ("orders", "order_items", "sessions", "customers"):
        count = f"select count(*) from raw.{table}"
        assert project.query(count) == built.query(count)
    money = (
        "select sum(quantity * unit_price_amount) "
        "from raw.order_items join raw.orders using (order_id)"
    )
    assert project.query(money) == built.query(money)
    (person,) = rows_of(
        project,
        f"select {ATTRIBUTES}, mail, day(signed_up_on) as signed_up_day, count(order_id) as orders "
        "from raw.customers join raw.orders using (customer_id) "
        "where starts_with(customer_id, 'erased-') group by all",
    )
    assert person.pop("signed_up_day") == 1
    assert person.pop("orders") > 1
    assert set(person.values()) == {None}
    assert not project.query("select 1 from raw.reviews where starts_with(customer_id, 'erased-')")


REFUSED: list[tuple[dict[str, object], str]] = [
    (
        {"customer_id": "x' or 1=1 --"},
        "No table holds customer x' or 1=1 --, so nothing was erased.",
    ),
    ({"customer_id": 12}, "forget_customer needs a customer_id in quotes"),
    ({"customer_id": " "}, "forget_customer needs a customer_id in quotes"),
    ({}, "forget_customer needs a customer_id in quotes"),
    ({"customer_id": WHO, "mode": "hide"}, "There is no mode 'hide'; give delete or pseudonymise"),
]


def test_what_can_not_be_done_is_one_sentence_and_changes_nothing(
    dbt: DbtWorker, built: DbtProject
) -> None:
    before = contents(built)
    for arguments, sentence in REFUSED:
        code, output = forget(dbt, built, check=False, **arguments)
        assert code != 0, arguments
        assert sentence in output
    assert contents(built) == before


def test_the_sample_shop_is_refused(dbt: DbtWorker, built: DbtProject) -> None:
    answer = dbt.run(
        built,
        *("run-operation", "forget_customer", "--args", '{"customer_id": "C0001"}'),
        env={"SHOP_SOURCE": "sample"},
        check=False,
    )
    assert answer.exit_code != 0
    assert "The sample shop is made up and comes from files in git" in answer.output


def test_a_table_that_no_list_names_stops_the_call(
    dbt: DbtWorker, built: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(built, tmp_path)
    change(project, f"create table raw.newsletter as select {quoted(WHO)} as reader, 1 as letters")
    before = contents(project)
    code, output = forget(dbt, project, check=False, customer_id=WHO)
    assert code != 0
    assert "The customer is in raw.newsletter, column reader, which" in output
    assert contents(project) == before


def test_a_view_in_raw_can_not_be_erased_from(
    dbt: DbtWorker, built: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(built, tmp_path)
    change(
        project,
        "create schema elsewhere",
        "create table elsewhere.customers as select * from raw.customers",
        "drop table raw.customers",
        "create view raw.customers as select * from elsewhere.customers",
    )
    before = contents(project)
    code, output = forget(dbt, project, check=False, customer_id=WHO)
    assert code != 0
    assert "raw.customers holds the customer and is a view, so nothing was erased" in output
    assert contents(project) == before


KILLED = """
import os, signal, sys
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

add_query = DuckDBConnectionManager.add_query

def killing(self, sql, *arguments, **named):
    if "delete from" in sql and '"raw"."customers"' in sql:
        os.kill(os.getpid(), signal.SIGKILL)
    return add_query(self, sql, *arguments, **named)

DuckDBConnectionManager.add_query = killing
dbtRunner().invoke(sys.argv[1:])
"""


def test_a_call_that_is_killed_has_changed_nothing(built: DbtProject, tmp_path: Path) -> None:
    project = copy_of(built, tmp_path)
    before = contents(project)
    arguments = ("run-operation", "forget_customer", "--args", json.dumps({"customer_id": WHO}))
    settings = SETTINGS | BUILT_WITH
    with project.handed_on_parse(settings):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, *arguments, *project.common_arguments],
            env=project.environment(settings),
            cwd=project.folder,
            capture_output=True,
            check=False,
        )
    assert killed.returncode == -signal.SIGKILL
    assert contents(project) == before


def catalog(macro: str) -> Any:
    """What a macro of the catalog returns."""

    class Returned(Exception):  # noqa: N818  (no error: it carries a value out)
        """How dbt's `return` leaves a macro."""

    returned = []

    def leave(value: object) -> None:
        returned.append(value)
        raise Returned

    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    source = (PROJECT_DIR / "macros/erasure/erasure_catalog.sql").read_text(encoding="utf-8")
    module = environment.from_string(source, {"return": leave}).module
    with pytest.raises(Returned):
        getattr(module, macro)()
    return returned[0]


def stored_columns(project: DbtProject) -> dict[str, set[str]]:
    """The columns of every table that is stored, by its name."""
    columns: dict[str, set[str]] = {}
    for table, column in project.query(
        "select table_name, column_name from information_schema.columns "
        "join information_schema.tables using (table_catalog, table_schema, table_name) "
        "where table_type = 'BASE TABLE'"
    ):
        columns.setdefault(table, set()).add(column)
    return columns


def test_every_stored_table_is_in_one_list(built: DbtProject) -> None:
    listed, nobody = set(catalog("erasure_catalog")), catalog("holds_nobody")
    assert len(nobody) == len(set(nobody))
    assert not listed & set(nobody)
    assert set(stored_columns(built)) <= listed | set(nobody) | {"load_rejects"}


def test_every_column_that_says_whose_a_row_is_is_listed(built: DbtProject) -> None:
    names = {"customer_id", "visitor_id", "session_id", "order_id", "review_id", "first_review_id"}
    names |= {"entity_id", "source_row_key", "content_hash"}
    # There the fingerprint is of a file; a review is one person's, its text may be many's.
    other = {"load_rejects", "load_manifest", "review_texts"}
    listed = catalog("erasure_catalog")
    for table, columns in stored_columns(built).items():
        if table not in other:
            assert columns & names <= set(listed.get(table, {})), table
    for table, columns in stored_columns(built).items():
        if table in listed:
            assert set(listed[table]) <= columns, table


@pytest.fixture
def aged(built: DbtProject, tmp_path: Path) -> DbtProject:
    """A shop with scores of an older version: one made long ago, one lately."""
    project = copy_of(built, tmp_path)
    statements = []
    for table, key in (("purchase_intent", "session_id"), ("churn", "customer_id")):
        for version, made_at in (("long ago", "'2020-01-01'"), ("lately", "now()")):
            statements += [
                f"insert into insights_internal.{table}_scored select * replace ('{version}' as "
                f"model_version, cast({made_at} as timestamp) as scored_at) "
                f"from insights_internal.{table}_scored where {key} in "
                f"(select entity_id from insights_internal.{table}_explained) "
                "and model_version not in ('long ago', 'lately')",
                f"insert into insights_internal.{table}_explained select * replace ('{version}' as "
                f"model_version) from insights_internal.{table}_explained "
                "where model_version not in ('long ago', 'lately')",
            ]
    statements.append("update raw.load_rejects set loaded_at = '2020-01-01'")
    change(project, *statements)
    return project


def test_retention_takes_what_is_old_and_out_of_service(dbt: DbtWorker, aged: DbtProject) -> None:
    def versions(table: str) -> set[str]:
        return {v for (v,) in aged.query(f"select model_version from insights_internal.{table}")}

    tables = [
        f"{t}_{what}" for t in ("purchase_intent", "churn") for what in ("scored", "explained")
    ]
    before = {table: versions(table) for table in tables}
    assert all({"long ago", "lately"} < found for found in before.values())
    none = dbt.run(aged, "run-operation", "apply_retention").output
    assert "Nothing to delete" in none
    assert {table: versions(table) for table in tables} == before
    env = {"SCORE_RETENTION_DAYS": "400", "LOG_RETENTION_DAYS": "30"}
    dbt.run(aged, "run-operation", "apply_retention", env=env)
    assert {table: versions(table) for table in tables} == {
        table: found - {"long ago"} for table, found in before.items()
    }
    assert aged.query("select count(*) from raw.load_rejects") == [(0,)]
    assert aged.query("select sum(rows_rejected) from raw.load_manifest") == [(1,)]


def test_retention_below_what_training_looks_back_is_refused(
    dbt: DbtWorker, aged: DbtProject
) -> None:
    before = contents(aged)
    answer = dbt.run(
        aged,
        *("run-operation", "apply_retention"),
        env={"SCORE_RETENTION_DAYS": "80"},
        check=False,
    )
    assert answer.exit_code != 0
    assert (
        "Setting 'score_retention_days' is 80, less than churn_window_days (90), which training "
        "looks back; give at least 90, or null." in answer.output
    )
    assert contents(aged) == before
