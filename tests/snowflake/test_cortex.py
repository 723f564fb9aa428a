"""Cortex: only new texts, within the cap, masked; failures stay unscored; other targets refuse.

The emulator's answers are made up from the text. These tests show what is sent, how often, and what
becomes of each kind of answer; whether an answer is right only a real account shows.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from emulator.client import Emulator, start_emulator
from snowflake_lint import lint_statements
from snowflake_lint.project import sentences
from snowflake_project import (
    PROJECT_DIR,
    SnowflakeProject,
    options,
    set_up_account,
    stage_library,
    start_worker,
    write_profile,
)

from customer_insights import cortex
from customer_insights.errors import EngineError
from customer_insights.library import zip_name
from dbt_worker import DbtWorker

SETTINGS = {
    "TEXT_ENGINE": "cortex",
    "SHOP_SOURCE": "raw",
    "RAW_SCHEMA": "raw",
    "ML_SCHEMA": "insights",
}
UNSCORED = (None, None, "unscored")

MASKED = {
    "Write to a.b+c@shop-x.co.uk please": "Write to [mail] please",
    "o'neil@x.io or jürgen@müller.de": "[mail] or [mail]",
    "call +49 (030) 123-45 67 now": "call [number] now",
    "ring 0301234567": "ring [number]",
    "card 4111 1111 1111 1111, bought on 2024-01-12": "card [number], bought on [number]",
    "order #A-1234, order A12345, order 12345": "order [number], order [number], order [number]",
    "10/10, then 5/5 in 2024: iPhone 15 for 999.99 #love": (
        "10/10, then 5/5 in 2024: iPhone 15 for 999.99 #love"
    ),
}


class Run(NamedTuple):
    """What a dbt command did: texts that it had scored, by which statements; what it said.

    `calls` are those of all AI functions, the one that tests whether Cortex answers included.
    """

    sent: int
    calls: int
    paid_statements: list[str]
    is_success: bool
    output: str


class Shop:
    """A shop of a few reviews on the emulator."""

    def __init__(self, folder: Path, emulator: Emulator, worker: DbtWorker | None = None) -> None:
        set_up_account(emulator)
        emulator.execute("use database customer_insights")
        stage_library(emulator, folder)
        write_profile(folder, emulator)
        # Settings decide which models there are, so the project is parsed with them.
        self.worker = worker or start_worker(folder, **SETTINGS)
        self._project = SnowflakeProject(folder, emulator, self.worker)
        self.emulator = emulator

    def empty(self) -> None:
        """Forgets what was built and all reviews."""
        for schema in ("insights", "insights_internal", "insights_staging", "raw"):
            self.emulator.execute(f"drop schema if exists {schema} cascade")
        self.emulator.execute("create schema raw")
        self.emulator.execute(
            "create table customer_insights.raw.reviews (review_id varchar, customer_id varchar, "
            "product_id varchar, created_at timestamp, rating integer, title varchar, "
            "text varchar, reply_at timestamp, loaded_at timestamp)"
        )

    def add(self, review_id: str, created_on: str, text: str, rating: int = 5) -> None:
        """Adds a raw row; one with the id of another is a newer version of it."""
        rows = self.emulator.query("select count(*) from raw.reviews")[0][0]
        quoted = text.replace("'", "''")
        self.emulator.execute(
            f"insert into raw.reviews select '{review_id}', null, null, '{created_on}', {rating}, "
            f"null, '{quoted}', null, dateadd(hour, {rows}, '2024-06-01'::timestamp)"
        )

    def build(self, *arguments: str, check: bool = True, **settings: str) -> Run:
        """Builds the reviews, without tests; with `check` a failure fails the test."""
        return self.dbt("run", "--select", "+review_sentiment", *arguments, check=check, **settings)

    def dbt(self, *arguments: str, check: bool = True, **settings: str) -> Run:
        """Runs a dbt command; with `check` a failure fails the test."""
        before = len(self.emulator.statements())
        answer = self._project.dbt(*arguments, env=SETTINGS | settings, check=check)
        asked = [e for e in self.emulator.statements(before) if e.get("cortex_calls")]
        paid = [entry for entry in asked if "review_sentiment_scored" in entry["sql"].lower()]
        return Run(
            sum(entry["cortex_calls"] for entry in paid),
            sum(entry["cortex_calls"] for entry in asked),
            [entry["sql"].lower() for entry in paid],
            answer.exit_code == 0,
            answer.output,
        )

    def sentiment(self) -> dict[str, tuple[Any, ...]]:
        """Label, score and source of each review."""
        rows = self.emulator.query(
            "select review_id, sentiment_label, sentiment_score, sentiment_source "
            "from insights.review_sentiment"
        )
        return {row[0]: tuple(row[1:]) for row in rows}

    def sources(self) -> dict[str, str]:
        """Where each review's sentiment is from."""
        return {review_id: source for review_id, (_, _, source) in self.sentiment().items()}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests here."""
    with start_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="module")
def built_shop(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One dbt process for all tests here."""
    shop = Shop(tmp_path_factory.mktemp("dbt"), emulator)
    yield shop
    shop.worker.close()


@pytest.fixture
def shop(built_shop: Shop) -> Shop:
    """A shop without reviews."""
    built_shop.empty()
    return built_shop


def test_only_new_and_edited_texts_are_sent(shop: Shop) -> None:
    shop.add("r1", "2024-01-01", "I love it")
    shop.add("r2", "2024-01-02", "It broke")
    shop.add("r3", "2024-01-03", "I love it")
    assert shop.build().sent == 2
    assert set(shop.sources().values()) == {"cortex"}
    assert shop.sentiment()["r1"] == shop.sentiment()["r3"]

    assert shop.build().sent == 0
    assert shop.build("--full-refresh").sent == 0
    assert set(shop.sources().values()) == {"cortex"}

    shop.add("r2", "2024-01-02", "It broke, and nobody answers")
    edited = shop.build()
    assert edited.sent == 1
    # Computed into a table, not in a view that the merge reads as often as it likes.
    assert ["temporary table" in sql for sql in edited.paid_statements] == [True]
    shop.add("r4", "2024-01-04", "It broke, and nobody answers")
    assert shop.build().sent == 0
    assert shop.sentiment()["r4"] == shop.sentiment()["r2"]


def test_the_tests_of_the_reviews_pass(shop: Shop) -> None:
    for number, text in enumerate(("I love it", "It broke", "It came", "cortex-null")):
        shop.add(f"r{number}", f"2024-01-0{number + 1}", text)
    for _ in range(2):
        shop.dbt("build", "--select", "+review_sentiment", "--indirect-selection", "buildable")


def test_both_functions_are_asked_once_for_each_text_up_to_the_cap(shop: Shop) -> None:
    """What a run may cost, and one with nothing new does, is in docs/snowflake.md."""
    for number, text in enumerate(("I love it", "It broke", "I love it", "cortex-null")):
        shop.add(f"r{number}", f"2024-01-0{number + 1}", text)
    asked = "select content_hash, attempt_count from insights_internal.review_quality_classified"
    selected = ("--select", "+review_quality", "+review_sentiment")
    settings = {"MAX_TEXTS_PER_RUN": "2", "MAX_TEXT_ATTEMPTS": "2"}
    for texts, attempts in (
        (2, [1, 1]),
        (1, [1, 1, 1]),
        # The one that had no answer, for the last time.
        (1, [1, 1, 2]),
        (0, [1, 1, 2]),
    ):
        run = shop.dbt("build", *selected, "--indirect-selection", "buildable", **settings)
        # Each text is sent to each of two functions, and a word to see whether Cortex answers.
        assert (run.sent, run.calls) == (texts, 2 * texts + 1)
        assert sorted(row[1] for row in shop.emulator.query(asked)) == attempts
    rows = shop.emulator.query(
        "select review_id, quality_label, quality_score, quality_source "
        "from insights.review_quality"
    )
    quality = {row[0]: tuple(row[1:]) for row in rows}
    assert quality["r3"] == UNSCORED
    known = {("detailed", 1.0), ("basic", 0.5), ("generic", 0.0)}
    assert {quality[review_id][:2] for review_id in ("r0", "r1", "r2")} <= known
    assert {quality[review_id][2] for review_id in ("r0", "r1", "r2")} == {"cortex"}
    assert quality["r0"] == quality["r2"]


def test_the_oldest_texts_are_sent_first_up_to_the_cap(shop: Shop) -> None:
    for day in (3, 1, 2, 5, 4):
        shop.add(f"r{day}", f"2024-01-0{day}", f"text {day}")
    scored = []
    for expected in (2, 2, 1, 0):
        assert shop.build(MAX_TEXTS_PER_RUN="2").sent == expected
        scored.append({name for name, source in shop.sources().items() if source == "cortex"})
    everything = {"r1", "r2", "r3", "r4", "r5"}
    assert scored == [{"r1", "r2"}, {"r1", "r2", "r3", "r4"}, everything, everything]


@pytest.mark.long
def test_a_text_without_an_answer_is_unscored_and_tried_again(shop: Shop) -> None:
    shop.add("r1", "2024-01-01", "cortex-null")
    shop.add("r2", "2024-01-02", "I love it")
    settings = {"MAX_TEXTS_PER_RUN": "1", "MAX_TEXT_ATTEMPTS": "2"}
    assert shop.build(**settings).sent == 1
    assert shop.sentiment() == {"r1": UNSCORED, "r2": UNSCORED}
    # The text that was never sent goes first, then the other again, then no more.
    assert shop.build(**settings).sent == 1
    assert shop.sources() == {"r1": "unscored", "r2": "cortex"}
    assert shop.build(**settings).sent == 1
    assert shop.build(**settings).sent == 0
    assert shop.sentiment()["r1"] == UNSCORED


def test_a_statement_that_fails_stores_nothing_and_the_next_build_recovers(shop: Shop) -> None:
    shop.add("r1", "2024-01-01", "I love it")
    assert shop.build().sent == 1
    shop.add("r2", "2024-01-02", "cortex-error")
    shop.add("r3", "2024-01-03", "It broke")
    failed = shop.build(check=False)
    assert not failed.is_success
    assert "review_sentiment_scored" in failed.output
    assert shop.sources() == {"r1": "cortex", "r2": "unscored", "r3": "unscored"}
    shop.add("r2", "2024-01-02", "It arrived late")
    assert shop.build().sent == 2
    assert set(shop.sources().values()) == {"cortex"}


def test_what_leaves_is_masked_and_cut(shop: Shop) -> None:
    for number, text in enumerate(MASKED):
        shop.add(f"r{number}", f"2024-01-0{number + 1}", text)
    shop.add("long", "2024-01-09", "very " * 100 + "good")
    assert shop.build(MAX_TEXT_CHARACTERS="100").sent == len(MASKED) + 1
    rows = shop.emulator.query(
        "select texts.review_id, texts.masked_text from insights_internal.review_texts as texts "
        "inner join insights_internal.review_sentiment_scored as scored "
        "on md5(texts.masked_text) = scored.content_hash"
    )
    expected = {f"r{number}": masked for number, masked in enumerate(MASKED.values())}
    assert {row[0]: row[1] for row in rows} == expected | {"long": "very " * 20}


def test_bad_reviews_are_rejected_and_not_sent(shop: Shop) -> None:
    shop.add("r1", "2024-01-01", "I love it")
    shop.add("r1", "2024-01-01", "I loved it")
    shop.add("r2", "2024-01-02", " \n ")
    shop.add("r3", "2031-01-02", "From the future")
    shop.add("r4", "2024-01-04", "Six stars", rating=6)
    assert shop.build().sent == 1
    rows = shop.emulator.query(
        "select review_id, reject_reason from insights_staging.checked_reviews "
        "where reject_reason is not null order by review_id"
    )
    assert [tuple(row) for row in rows] == [
        ("r1", "duplicate_key"),
        ("r2", "missing_value"),
        ("r3", "later_than_loaded_at"),
        ("r4", "rating_out_of_range"),
    ]


def test_an_empty_shop_sends_nothing(shop: Shop) -> None:
    assert shop.build().sent == 0
    assert shop.sentiment() == {}
    shop.add("r1", "2024-01-01", "I love it")
    assert shop.build(REVIEW_LANGUAGE="en").sent == 1
    assert shop.emulator.query("select language from insights.review_sentiment")[0][0] == "en"


def test_a_language_that_cortex_does_not_read_is_refused(shop: Shop) -> None:
    refused = shop.build(check=False, REVIEW_LANGUAGE="ja")
    assert not refused.is_success
    assert "'review_language' is 'ja'" in refused.output
    assert "de, en, es, fr, hi, it, pt" in refused.output


def test_a_role_without_cortex_is_told_before_anything_runs(
    built_shop: Shop, tmp_path: Path
) -> None:
    # What `check_text_engine` asks first is refused as a missing privilege is.
    with start_emulator(tmp_path / "emulator", "--refuse", "select cast") as refusing:
        shop = Shop(tmp_path, refusing, built_shop.worker)
        shop.empty()
        refused = shop.build(check=False)
        assert not refused.is_success
        assert "could not call AI_SENTIMENT" in refused.output
        assert "USE AI FUNCTIONS on the account" in refused.output
        assert not refusing.query("show tables in database customer_insights")[1:]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("ai_classify('text', ['one'])", "two or more different categories"),
        ("ai_classify('text', ['same', 'same'])", "two or more different categories"),
        ("ai_classify('text', 'word')", "two or more different categories"),
        ("ai_translate('text', none, 'xx')", "does not know the language 'xx'"),
        ("ai_translate('text', 'en', none)", "does not know the language 'None'"),
    ],
)
def test_a_wrong_question_is_refused_before_it_is_asked(
    shop: Shop, call: str, problem: str
) -> None:
    refused = shop.dbt("compile", "--inline", "select {{ " + call + " }}", check=False)
    assert not refused.is_success
    assert problem in refused.output


def test_macros_give_words_and_take_any_category(shop: Shop) -> None:
    categories = ["it's", "back\\slash", '"quoted"']
    question = (
        "select {{ ai_sentiment('text') }} as sentiment, "
        "{{ ai_classify('text', categories) }} as category, "
        "{{ ai_translate('text', none, 'en') }} as translation from raw.reviews"
    )
    shop.add("r1", "2024-01-01", "It's {{ 'fine' }}' or '")
    asked = shop.dbt("compile", "--inline", f"{{% set categories = {categories!r} %}}{question}")
    (sql,) = [line for line in asked.output.splitlines() if line.startswith("select ")]
    (row,) = shop.emulator.query(sql)
    assert row[0] in {"positive", "neutral", "negative", "mixed", "unknown"}
    assert row[1] in categories
    assert isinstance(row[2], str)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the dbt runs on DuckDB."""
    return tmp_path_factory.mktemp("local")


@pytest.mark.long
def test_both_engines_mask_the_same(local: Path) -> None:
    asked = run_local(local, "--quiet", "compile", "--inline", "{{ masked_text('original') }}")
    found = duckdb.execute(
        f"select original, {asked.stdout} from (select unnest(?) as original)", [list(MASKED)]
    ).fetchall()
    assert dict(found) == MASKED


@pytest.mark.parametrize("engine", ["none", "embedded"])
def test_without_cortex_nothing_is_there_that_calls_it(local: Path, engine: str) -> None:
    listed = run_local(local, "--quiet", "ls", "--select", "reviews", TEXT_ENGINE=engine)
    assert listed.returncode == 0
    assert "review_texts" in listed.stdout
    for caller in ("review_sentiment_scored", "review_quality_classified"):
        assert caller not in listed.stdout


@pytest.mark.long
def test_duckdb_refuses_cortex_before_anything_runs(local: Path) -> None:
    refused = run_local(local, "build", TEXT_ENGINE="cortex")
    assert refused.returncode != 0
    assert "Cortex is part of Snowflake" in refused.stdout
    assert "set text_engine to null, or build on a Snowflake target" in refused.stdout
    with duckdb.connect(str(local / "shop.duckdb")) as connection:
        assert connection.execute("select count(*) from information_schema.tables").fetchall() == [
            (0,)
        ]


def run_local(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs dbt on a DuckDB file of its own."""
    shutil.copy(PROJECT_DIR / "profiles.example.yml", folder / "profiles.yml")
    own = {"DBT_TARGET": "local", "DUCKDB_PATH": str(folder / "shop.duckdb"), "TEXT_ENGINE": "none"}
    return subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments, *options(folder)],
        env=os.environ | SETTINGS | {"DBT_USE_COLORS": "false"} | own | settings,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_python_model_calls_the_same_functions(shop: Shop) -> None:
    emulator = shop.emulator
    emulator.execute("create schema if not exists cortex_python")
    emulator.execute(
        "create or replace table cortex_python.texts as select * from values "
        "(1, 'I love it'), (2, 'cortex-null'), (3, 'It broke') as texts (id, text)"
    )
    before = len(emulator.statements())
    emulator.execute(PROCEDURE.replace("LIBRARY", zip_name()))
    calls = sum(
        entry.get("cortex_calls") or 0
        for entry in emulator.statements()[before:]
        if entry["inside_procedure"]
    )
    rows = emulator.query("select * from cortex_python.scored order by id")
    words = [
        emulator.query(f"select ai_sentiment('{text}'):categories[0]:sentiment::varchar")[0][0]
        for text in ("I love it", "It broke")
    ]
    assert [row[1] for row in rows] == [words[0], None, words[1]]
    assert [row[2] in ("delivery", "product") for row in rows] == [True, False, True]
    assert [isinstance(row[3], str) for row in rows] == [True, False, True]
    assert calls == 3 * len(rows)


PROCEDURE = """
with score_texts as procedure ()
returns string
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python')
imports = ('@customer_insights.deployment.library/LIBRARY')
handler = 'main'
execute as caller
as
$$
from customer_insights import cortex

def main(session):
    texts = session.table("cortex_python.texts")
    scored = texts.select(
        texts["id"],
        cortex.sentiment(texts["text"]).alias("sentiment"),
        cortex.classify(texts["text"], ["delivery", "product"]).alias("subject"),
        cortex.translate(texts["text"], None, "de").alias("german"),
    )
    scored.write.mode("overwrite").save_as_table("cortex_python.scored")
    return "done"
$$
call score_texts()
"""


def test_python_refuses_a_wrong_question() -> None:
    for categories in ([], ["one"], ["same", "same"], "word"):
        with pytest.raises(EngineError, match="two or more different categories"):
            cortex.classify(None, categories)
    with pytest.raises(EngineError, match="does not translate 'xx'"):
        cortex.translate(None, "xx", "en")
    with pytest.raises(EngineError, match="does not translate ''"):
        cortex.translate(None, None, "")


def test_sql_and_python_know_the_same_languages() -> None:
    macros = (PROJECT_DIR / "macros/engine/cortex_functions.sql").read_text(encoding="utf-8")
    listed = macros[macros.index("macro cortex_translated_languages") :].split("[")[1].split("]")[0]
    assert tuple(word.strip(" '\n") for word in listed.split(",") if word.strip()) == (
        cortex.TRANSLATED_LANGUAGES
    )


def test_every_statement_sent_is_one_that_snowflake_takes(shop: Shop) -> None:
    """Of all tests above, and of one more build."""
    shop.add("r1", "2024-01-01", "I love it")
    assert shop.build().sent == 1
    sent = [entry["sql"] for entry in shop.emulator.statements() if entry["ok"]]
    assert any("ai_sentiment(" in text.lower() for text in sent)
    problems = lint_statements(sent, with_sqlfluff=False)
    assert problems == [], sentences(problems)
