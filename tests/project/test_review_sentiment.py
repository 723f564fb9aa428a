"""Sentiment from build to build: scored once, kept, counted, and never from later ratings."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import DbtWorker, change, copy_of, put_raw, rows_of, shop

from customer_insights.monitoring.drift import measure_feature_drift
from customer_insights.sample import ShopConfig
from customer_insights.text.sentiment import SentimentModel
from customer_insights.text.training import SENTIMENT

SETTINGS = {"MIN_RATED_TEXTS": "200", "MIN_CLASS_ROWS": "10", "REVIEW_TEST_DAYS": "120"}
BUILD = (
    "build",
    "--select",
    "+review_sentiment_quality",
    "+text_scoring_runs",
    "erasures",
    "--indirect-selection",
    "buildable",
)
RUN = ("run", "--select", "+review_sentiment", "+text_scoring_runs")
NEWEST_RUN = """
select text_engine, text_count, scored_count, failed_count, waiting_count, unscorable_count
from insights.text_scoring_runs order by run_started_at desc limit 1
"""
SCORED_ONCE = "assert_no_text_is_scored_again"
PREDICTED = "insights_internal.review_sentiment_predicted"
KEPT = """
select content_hash, sentiment_label, sentiment_score, model_version
from insights_internal.review_sentiment_predicted order by all
"""


@pytest.fixture(scope="module")
def built(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtProject]:
    """A shop whose reviews were built once, tests included."""
    project = create_dbt_project(tmp_path_factory.mktemp("reviews"))
    put_raw(project, shop(ShopConfig(scale=0.6)))
    dbt.run(project, *BUILD, env=SETTINGS)
    return project


def newest_run(project: DbtProject) -> dict[str, object]:
    """The counts of the newest build."""
    (row,) = rows_of(project, NEWEST_RUN)
    return row


def test_history_is_scored_by_models_that_knew_earlier_ratings_only(built: DbtProject) -> None:
    (row,) = rows_of(
        built,
        "select count(*) as texts, count(distinct model_version) as models, "
        "count(*) filter (where p.first_created_at < v.trained_before_at) as leaks "
        "from insights_internal.review_sentiment_predicted as p "
        "left join insights_internal.review_sentiment_versions as v using (model_version)",
    )
    assert row["texts"] > 0
    assert row["models"] > 1
    assert row["leaks"] == 0
    (log,) = rows_of(
        built, "select * from insights_internal.review_sentiment_trained where is_champion"
    )
    assert log["decision"] == "trained_promoted"
    assert log["roc_auc_low"] > log["best_single_feature_roc_auc"]
    run = newest_run(built)
    assert run["scored_count"] == row["texts"]
    assert run["scored_count"] + run["unscorable_count"] == run["text_count"]


def test_quality_is_measured_by_language_and_overall(built: DbtProject) -> None:
    rows = rows_of(built, "select * from insights.review_sentiment_quality")
    overall = {row["period"]: row for row in rows if row["language"] == "all"}
    assert set(overall) == {"all", "newest"}
    assert overall["all"]["text_count"] >= overall["newest"]["text_count"] > 0
    for row in overall.values():
        # A class for everybody reaches less than a half. Few texts of each of seven languages.
        assert 0.5 < row["macro_f1_low"] < row["macro_f1"] < row["macro_f1_high"] <= 1
    for period, row in overall.items():
        of_languages = [r for r in rows if r["period"] == period and r["language"] != "all"]
        assert sum(r["text_count"] for r in of_languages) == row["text_count"]


def test_a_second_build_scores_nothing_and_an_edited_text_once(
    dbt: DbtWorker, built: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(built, tmp_path)
    before = rows_of(project, KEPT)
    dbt.run(project, *RUN, env=SETTINGS)
    assert newest_run(project)["scored_count"] == 0
    assert rows_of(project, KEPT) == before
    change(
        project,
        "update raw.reviews set title = null, text = 'This one broke at once; {{ x }} ''; --' "
        "where review_id = (select max_by(review_id, created_at) from raw.reviews)",
    )
    dbt.run(project, *RUN, env=SETTINGS)
    assert newest_run(project)["scored_count"] == 1
    after = {row["content_hash"]: row for row in rows_of(project, KEPT)}
    assert all(after[row["content_hash"]] == row for row in before)
    languages = rows_of(
        project, "select count(*) as n from insights_internal.review_languages_detected"
    )
    (texts,) = rows_of(
        project, "select count(distinct content_hash) as n from insights_internal.review_texts"
    )
    assert languages[0]["n"] >= texts["n"]
    assert dbt.run(project, "test", "--select", SCORED_ONCE).statuses[SCORED_ONCE] == "pass"


# What other tasks would fill, which are not watched here.
ABSENT = (
    "create table insights.purchase_intent_scores (model_name varchar, model_version varchar, "
    "session_id varchar, session_on date, score double, score_decile integer, "
    "is_predicted_purchase boolean, sample_role varchar)",
    "create table insights.session_labels "
    "(session_id varchar, is_purchase boolean, matured_on date)",
    "create table insights.session_features "
    "(session_id varchar, visitor_id varchar, features_hash varchar)",
    "create table insights.churn_scores (model_name varchar, model_version varchar, "
    "customer_id varchar, as_of_on date, score double, score_decile integer, "
    "is_predicted_churn boolean, sample_role varchar)",
    "create table insights.churn_labels "
    "(customer_id varchar, as_of_on date, is_churned boolean, matured_on date)",
    "create table insights_internal.churn_population "
    "(customer_id varchar, as_of_on date, features_hash varchar)",
    "create table insights_internal.scored_candidates (task_name varchar, model_name varchar, "
    "model_version varchar, entity_id varchar, product_id varchar, as_of_on date, score double, "
    "sample_role varchar, is_positive boolean, features_hash varchar)",
    "create table insights_internal.scored_segments "
    "(task_name varchar, entity_id varchar, as_of_on date, segment varchar)",
    *(
        f"create table insights_internal.{task}_trained as "
        "select * from insights_internal.review_sentiment_trained where false"
        for task in ("churn", "product_recommendations", "purchase_intent")
    ),
)
WATCH = (
    *(*RUN, "scored_rows", "monitored_windows", "profile_bins", "monitored_bins"),
    *("column_drift", "feature_drift"),
)
# From the first day of the newest month on, each text goes on in a language that nobody wrote in.
POLISH = "Bardzo ładna rzecz, przyszła szybko i jestem z niej naprawdę zadowolony. "


def test_texts_that_get_longer_in_another_language_have_drifted(
    dbt: DbtWorker, built: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(built, tmp_path)
    change(
        project,
        *ABSENT,
        f"update raw.reviews set text = text || ' ' || repeat('{POLISH}', 4) where created_at >= "
        "(select date_trunc('month', max(created_at)) from raw.reviews)",
    )
    dbt.run(project, *WATCH, env=SETTINGS | {"DRIFT_MIN_ROWS": "20"})
    windows = rows_of(
        project,
        "select * from insights.feature_drift where model_name = 'review_sentiment' "
        "order by window_start_on",
    )
    moved = {"character_count", "detected_language"}
    assert {row["column_name"] for row in windows} == moved
    newest = windows[-1]["window_start_on"]
    judged = [row for row in windows if row["is_drifted"] is not None]
    assert len({row["window_start_on"] for row in judged}) > 3
    for row in judged:
        assert row["is_drifted"] is (row["window_start_on"] == newest), row
    # Training asks the same of the texts that are watched.
    with duckdb.connect(str(project.database), read_only=True) as connection:
        examples = connection.sql(
            "select * from insights_internal.review_sentiment_examples where is_positive is not "
            f"null and created_on >= date '{newest}' order by review_id"
        ).to_arrow_table()
    (log,) = rows_of(
        project,
        "select profile from insights_internal.review_sentiment_trained where profile <> ''",
    )
    found = measure_feature_drift(log["profile"], SENTIMENT.watched(examples), 3.09)
    columns = ("column_name", "psi", "psi_threshold", "brier_change", "brier_change_low")
    told = [tuple(row[name] for name in columns) for row in windows[-2:]]
    for each, (name, *measures) in zip(found, sorted(told), strict=True):
        assert each.feature == name
        assert measures == pytest.approx(
            [each.psi, each.psi_threshold, each.brier_change, each.brier_change_low], rel=1e-9
        )


def unexplained(project: DbtProject) -> list[str]:
    """Texts whose label and score their own model does not give."""
    models = {
        row["model_version"]: SentimentModel.from_bytes(row["artifact"], row["artifact_sha256"])
        for table in ("review_sentiment_folds", "review_sentiment_trained")
        for row in rows_of(
            project,
            "select model_version, artifact, artifact_sha256 "
            f"from insights_internal.{table} where artifact is not null",
        )
    }
    found = []
    for version, model in models.items():
        texts = rows_of(
            project,
            "select content_hash, masked_text, sentiment_label, sentiment_score "
            f"from {PREDICTED} inner join insights_internal.review_distinct_texts "
            f"using (content_hash) where model_version = '{version}' order by content_hash",
        )
        scores = model.scores([row["masked_text"] for row in texts])
        for row, label, score in zip(texts, model.labels(scores), scores, strict=True):
            is_equal = row["sentiment_score"] == pytest.approx(score, abs=1e-9)
            if label is not None and not (is_equal and row["sentiment_label"] == label):
                found.append(row["content_hash"])
    return found


def test_each_text_has_its_own_sentiment_and_one_by_position_is_found(
    built: DbtProject, tmp_path: Path
) -> None:
    assert unexplained(built) == []
    project = copy_of(built, tmp_path)
    change(
        project,
        f"create or replace table {PREDICTED} as select * replace (lead(sentiment_score, 1, 0) "
        "over (order by first_created_at, content_hash) as sentiment_score, "
        "lead(sentiment_label, 1, 'neutral') over (order by first_created_at, content_hash) "
        f"as sentiment_label) from {PREDICTED}",
    )
    assert len(unexplained(project)) > 100


def test_the_cap_of_a_run_leaves_texts_waiting(
    dbt: DbtWorker, built: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(built, tmp_path)
    change(project, f"delete from {PREDICTED}")
    dbt.run(project, *RUN, env=SETTINGS | {"MAX_EMBEDDED_TEXTS_PER_RUN": "50"})
    run = newest_run(project)
    assert run["scored_count"] == 50
    assert run["waiting_count"] == run["text_count"] - 50 - run["unscorable_count"] > 0
    first = rows_of(project, KEPT)
    dbt.run(project, *RUN, env=SETTINGS)
    kept = rows_of(project, KEPT)
    assert all(row in kept for row in first)
    assert kept == rows_of(built, KEPT)
    # Here the table was emptied; a pipeline without memory does this every day, and is found.
    found = dbt.run(project, "test", "--select", SCORED_ONCE, check=False)
    assert found.statuses[SCORED_ONCE] == "fail"


@pytest.mark.long
def test_without_reviews_or_with_one_everything_is_built_and_unscored(
    dbt: DbtWorker, tmp_path: Path
) -> None:
    project = create_dbt_project(tmp_path)
    put_raw(project, shop(ShopConfig(scale=0.1)), "delete from raw.reviews")
    dbt.run(project, *BUILD, env=SETTINGS)
    assert rows_of(project, "select * from insights.review_sentiment") == []
    assert rows_of(project, "select * from insights.review_sentiment_quality") == []
    assert newest_run(project)["text_count"] == 0
    change(
        project,
        "insert into raw.reviews by name select 'r1' as review_id, "
        "timestamp '2024-06-01' as created_at, 3 as rating, '=1+1; not good' as text, "
        "timestamp '2024-07-01' as loaded_at",
    )
    dbt.run(project, *BUILD, env=SETTINGS)
    (row,) = rows_of(project, "select * from insights.review_sentiment")
    assert (row["sentiment_label"], row["sentiment_source"]) == (None, "unscored")
    (log,) = rows_of(
        project,
        "select * from insights_internal.review_sentiment_trained "
        "order by decision_number desc limit 1",
    )
    assert log["decision"] == "not_enough_labels"


def test_without_an_engine_all_reviews_are_unscored(built: DbtProject, tmp_path: Path) -> None:
    project = copy_of(built, tmp_path)
    project.run_dbt(
        "run",
        "--select",
        "review_sentiment_stored",
        "review_sentiment",
        "text_scoring_runs",
        env=SETTINGS | {"SHOP_SOURCE": "raw", "TEXT_ENGINE": "none"},
    )
    (row,) = rows_of(
        project,
        "select count(*) as n, count(*) filter (where sentiment_source = 'unscored') as unscored, "
        "count(sentiment_label) as labels, count(language) as languages "
        "from insights.review_sentiment",
    )
    assert row["n"] == row["unscored"] > 0
    assert row["labels"] == 0
    assert row["languages"] > 0


@pytest.mark.long
def test_huggingface_without_a_folder_is_refused_before_anything_runs(tmp_path: Path) -> None:
    project = create_dbt_project(tmp_path)
    settings = {"TEXT_ENGINE": "huggingface"}
    refused = project.run_dbt("run", env=settings, check=False)
    assert refused.exit_code != 0
    assert "'text_model_directory' names no folder" in refused.output
    nowhere = settings | {"TEXT_MODEL_DIRECTORY": str(tmp_path / "it's not")}
    refused = project.run_dbt("run", env=nowhere, check=False)
    assert "Setting 'text_model_directory' is" in refused.output
