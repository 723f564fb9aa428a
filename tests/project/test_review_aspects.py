"""Aspects and quality of reviews from build to build, and what people may put into vocabularies."""

import csv
from pathlib import Path

import pytest
from conftest import PROJECT_DIR, DbtProject, create_dbt_project
from helpers import DbtWorker, change, copy_of, put_raw, rows_of, shop
from sklearn.metrics import f1_score

from customer_insights.sample import REVIEW_TRUTH, ShopConfig
from customer_insights.sample.phrases import ASPECTS

SHOP = shop(ShopConfig(seed=4712, scale=0.5))
BUILD = (
    "build",
    "--select",
    "+review_aspects",
    "+review_quality",
    "--indirect-selection",
    "buildable",
)
# Without the seeds: tests edit what these have loaded.
RUN = ("run", "--select", "+review_aspects", "+review_quality")
READ_LAST = """
select count(distinct content_hash) as texts from insights_internal.review_aspects_found
where found_at = (select run_started_at from insights_internal.run_context)
"""
COUNTED_LAST = """
select count(*) as texts from insights_internal.review_details_counted
where counted_at = (select run_started_at from insights_internal.run_context)
"""
ASPECTS_OF = (
    "select aspect, sentiment_label from insights.review_aspects where review_id = '{}' order by 1"
)
# What a transformer would have said, so that the test needs none.
JUDGE_ALL = """
create table insights_internal.review_quality_zero_shot as
select
    content_hash,
    'basic' as quality_label,
    0.625::double as quality_score,
    'inference-1' as model_version,
    timestamp '2025-01-01' as scored_at
from insights_internal.review_distinct_texts
"""
ODD_TEXTS = {
    "odd-sql": "'); drop table raw.reviews; -- the price is great",
    "odd-jinja": "{{ ref('x') }} {% do 1/0 %} delivery was late",
    "odd-long": "The price is great. " * 5000,
    "odd-signs": "c++ (a|b) [x] \\d $1 %s ?",
    "odd-double": "ok",
}


@pytest.fixture(scope="module")
def built(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A shop whose reviews were read once, tests included; some texts are odd."""
    project = create_dbt_project(tmp_path_factory.mktemp("aspects"))
    put_raw(project, SHOP)
    for review_id, text in ODD_TEXTS.items():
        quoted = text.replace("'", "''")
        change(
            project,
            "insert into raw.reviews (review_id, created_at, rating, text, loaded_at) "
            f"values ('{review_id}', '2024-03-01', 3, '{quoted}', '2025-01-02')",
        )
    dbt.run(project, *BUILD)
    return project


@pytest.fixture
def copied(built: DbtProject, tmp_path: Path) -> DbtProject:
    """The built shop in a database of the test's own."""
    return copy_of(built, tmp_path)


def read_last(project: DbtProject) -> tuple[int, int]:
    """Texts whose aspects were found, and those whose details were counted, in the last run."""
    (found,), (counted,) = rows_of(project, READ_LAST), rows_of(project, COUNTED_LAST)
    return found["texts"], counted["texts"]


def test_aspects_and_quality_are_as_the_reviews_were_written(built: DbtProject) -> None:
    truth = {row["review_id"]: row for row in SHOP[REVIEW_TRUTH].to_pylist()}
    said = {
        (row["review_id"], row["aspect"]): row["sentiment_label"]
        for row in rows_of(built, "select * from insights.review_aspects")
    }
    told = {
        (review_id, aspect): row[f"{aspect}_sentiment"]
        for review_id, row in truth.items()
        for aspect in ASPECTS
        if row[f"{aspect}_sentiment"]
    }
    found = sorted(key for key in told if key in said)
    invented = [key for key in said if key[0] in truth and key not in told]
    assert len(found) > 0.85 * len(told)
    assert len(invented) < 0.04 * len(said)
    assert f1_score([told[k] for k in found], [said[k] for k in found], average="macro") > 0.87

    quality = rows_of(built, "select * from insights.review_quality")
    assert {row["quality_source"] for row in quality} == {"embedded"}
    pairs = [
        (truth[row["review_id"]]["quality"], row["quality_label"])
        for row in quality
        if row["review_id"] in truth
    ]
    assert len(pairs) == len(truth)
    # Length alone reaches 0.65 (tests/unit/test_quality.py).
    assert f1_score(*zip(*pairs, strict=True), average="macro") > 0.80


def test_odd_texts_are_texts(built: DbtProject) -> None:
    said = {review_id: rows_of(built, ASPECTS_OF.format(review_id)) for review_id in ODD_TEXTS}
    price, delivery = (
        [{"aspect": aspect, "sentiment_label": label}]
        for aspect, label in (("price", "positive"), ("delivery", "negative"))
    )
    assert said == {
        "odd-sql": price,
        "odd-jinja": delivery,
        "odd-long": price,
        "odd-signs": [],
        "odd-double": [],
    }


def test_every_row_of_a_vocabulary_is_loaded_whatever_its_signs(built: DbtProject) -> None:
    for name in ("aspect_catalog", "aspect_vocabulary", "detail_vocabulary", "opinion_vocabulary"):
        path = PROJECT_DIR / "seeds" / "vocabulary" / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            written = list(csv.DictReader(file))
        loaded = rows_of(built, f"select * from insights_vocabulary.{name}")
        key = "term" if "term" in written[0] else "aspect"
        assert sorted(row[key] for row in loaded) == sorted(row[key] for row in written)
    # A term that begins with an apostrophe is a term, not the start of a quotation.
    quoted = "select * from insights_vocabulary.opinion_vocabulary where term like '''%'"
    assert rows_of(built, quoted)


def test_only_what_is_new_or_changed_is_read_again(dbt: DbtWorker, copied: DbtProject) -> None:
    everything = "select * from insights_internal.review_aspects_found order by all"
    before = rows_of(copied, everything)
    dbt.run(copied, *RUN)
    assert read_last(copied) == (0, 0)
    assert rows_of(copied, everything) == before

    change(
        copied,
        "update raw.reviews set text = 'The price was terrible' where review_id = 'odd-sql'",
    )
    dbt.run(copied, *RUN)
    assert read_last(copied) == (1, 1)
    assert rows_of(copied, ASPECTS_OF.format("odd-sql")) == [
        {"aspect": "price", "sentiment_label": "negative"}
    ]

    # A new aspect and a term of signs: every text is read again, none is kept twice.
    change(
        copied,
        "insert into insights_vocabulary.aspect_catalog values ('code', 'Code.')",
        "insert into insights_vocabulary.aspect_vocabulary values ('code', 'en', 'c++ (a|b)')",
        "delete from insights_vocabulary.aspect_catalog where aspect = 'returns'",
        "delete from insights_vocabulary.aspect_vocabulary where aspect = 'returns'",
    )
    dbt.run(copied, *RUN)
    texts = rows_of(copied, "select count(*) as n from insights_internal.review_contents")[0]["n"]
    assert read_last(copied) == (texts, texts)
    assert rows_of(copied, ASPECTS_OF.format("odd-signs")) == [
        {"aspect": "code", "sentiment_label": "neutral"}
    ]
    assert not rows_of(copied, "select * from insights.review_aspects where aspect = 'returns'")


def test_without_an_engine_nothing_is_said(dbt: DbtWorker, copied: DbtProject) -> None:
    dbt.run(copied, *RUN, env={"TEXT_ENGINE": "null"})
    assert not rows_of(copied, "select * from insights.review_aspects")
    quality = rows_of(
        copied, "select distinct quality_label, quality_source from insights.review_quality"
    )
    assert quality == [{"quality_label": None, "quality_source": "unscored"}]


@pytest.mark.long
def test_quality_is_a_transformers_where_a_folder_is_named(
    dbt: DbtWorker, copied: DbtProject, tmp_path: Path
) -> None:
    change(copied, JUDGE_ALL)
    nowhere, folder = tmp_path / "it was here", tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    settings = {
        "SHOP_SOURCE": "raw",
        "TEXT_ENGINE": "huggingface",
        "TEXT_MODEL_DIRECTORY": str(folder),
    }
    models = ("review_quality_categories", "review_quality_zero_shot", "review_quality")
    build = ("build", "--select", *models, "--indirect-selection", "buildable")
    refused = copied.run_dbt(
        *build, env=settings | {"TEXT_ZERO_SHOT_DIRECTORY": str(nowhere)}, check=False
    )
    assert f"Setting 'text_zero_shot_directory' is '{nowhere}'" in refused.output
    # Which models there are depends on the settings: the worker has read the project with others.
    copied.run_dbt(*build, env=settings | {"TEXT_ZERO_SHOT_DIRECTORY": str(folder)})
    said = (
        "select distinct quality_label, quality_score, quality_source from insights.review_quality"
    )
    assert rows_of(copied, said) == [
        {"quality_label": "basic", "quality_score": 0.625, "quality_source": "huggingface"}
    ]
    dbt.run(copied, "run", "--select", "review_quality", env=settings)
    assert {row["quality_source"] for row in rows_of(copied, said)} == {"embedded"}


def test_empty_vocabularies_find_nothing(dbt: DbtWorker, copied: DbtProject) -> None:
    names = ("aspect_catalog", "aspect_vocabulary", "opinion_vocabulary", "detail_vocabulary")
    change(copied, *(f"delete from insights_vocabulary.{name}" for name in names))
    dbt.run(copied, *RUN)
    assert not rows_of(copied, "select * from insights.review_aspects")
    labels = rows_of(copied, "select distinct quality_label from insights.review_quality")
    assert {row["quality_label"] for row in labels} <= {"generic", "basic"}


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        ("aspect_vocabulary", "('prize', 'en', 'prize')", "'prize', which aspect_catalog lacks"),
        ("aspect_vocabulary", "('price', 'en', ' ')", "has no word and could never be found"),
        ("opinion_vocabulary", "('en', 'fab', 'praise', 1, null)", "of the kind 'praise'"),
        ("opinion_vocabulary", "('en', 'fab', 'opinion', null, null)", "needs a polarity"),
    ],
)
def test_a_row_of_no_use_stops_with_one_sentence_and_loses_nothing(
    dbt: DbtWorker, copied: DbtProject, table: str, row: str, words: str
) -> None:
    before = rows_of(copied, "select * from insights.review_aspects order by all")
    change(copied, f"insert into insights_vocabulary.{table} values {row}")
    answer = dbt.run(copied, "run", "--select", "review_aspects_found", check=False)
    assert answer.exit_code != 0
    assert words in answer.output
    assert rows_of(copied, "select * from insights.review_aspects order by all") == before
