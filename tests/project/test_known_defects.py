"""Defects that pipelines of this kind are known for: none is here, and each would be found.

Most tests come in pairs. One shows that the project does not have the defect; the other puts the
defect into a copy of a healthy database, or beside the library as a small wrong variant, and shows
that what watches for it speaks up.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from conftest import PROJECT_DIR, DbtProject, create_dbt_project
from helpers import (
    BUILD,
    SETTINGS,
    DbtWorker,
    Tables,
    change,
    contents,
    copy_of,
    label_lineage,
    put_raw,
    rebuilt_hash,
    rows_of,
    shop,
)
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from customer_insights.catalog import Feature
from customer_insights.encoding import fit_encoder
from customer_insights.engine.on_duckdb import DuckDBRelation
from customer_insights.evaluation import Scored, compare
from customer_insights.metrics import Confusion
from customer_insights.model import TrainedModel
from customer_insights.sample import RAW_SCHEMAS, ShopConfig

SHOP = ShopConfig(scale=0.2)
MODELS = ["purchase_intent_after_session", "purchase_intent_in_session"]
SCORED = "insights_internal.purchase_intent_scored"
TRAINED = "insights_internal.purchase_intent_trained"
EXPLAINED = "insights_internal.purchase_intent_explained"
LABELS = "insights_internal.session_labels_computed"
FEATURES = "insights_internal.session_features_computed"
CHURN_LABELS = "insights_internal.churn_labels_computed"
CUSTOMER_FEATURES = "insights_internal.customer_features_computed"
CHURN_TRAINED = "insights_internal.churn_trained"
CHURN_TRAINING_SET = "insights_internal.churn_training_set"
SEGMENTS = "insights_internal.customer_segments_computed"
CHURN_SCORED = "insights_internal.churn_scored"
PRODUCTS_SCORED = "insights_internal.product_recommendations_scored"
RECOMMENDED = "insights_internal.product_recommendations_ranked"
TRAINING_SET = "insights_internal.purchase_intent_training_set"


@pytest.fixture(scope="module")
def built(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A healthy shop in `raw`, built once; tests work on copies."""
    project = create_dbt_project(tmp_path_factory.mktemp("built"))
    put_raw(project, shop(SHOP))
    # So few customers that churn would not be learned otherwise.
    dbt.run(project, *BUILD, env={"MIN_TRAIN_ROWS": "300"})
    decisions = project.query("select model_name, decision from insights.model_runs order by 1")
    assert [row for row in decisions if row[0] in MODELS] == [
        (name, "trained_promoted") for name in MODELS
    ]
    return project


@pytest.fixture
def copied(built: DbtProject, tmp_path: Path) -> DbtProject:
    """The healthy shop in a database of the test's own."""
    folder = tmp_path / "copied"
    folder.mkdir()
    return copy_of(built, folder)


# --- what a data test has to find ---


@dataclass(frozen=True)
class Defect:
    """Statements that put a defect into a healthy database, and the data test that finds it."""

    name: str
    statements: tuple[str, ...]
    found_by: str


def defect(name: str, found_by: str, *statements: str) -> Defect:
    return Defect(name, statements, found_by)


UNIQUE_SCORES = "unique_combination_purchase_intent_scores"
UNIQUE_EXPLANATIONS = "unique_combination_score_explanations"
CATALOGED = "columns_in_catalog_session_features"
# Tests whose query depends on the columns that a table has: dbt writes it anew each time.
WRITTEN_BY_COLUMNS = (CATALOGED, "assert_no_label_is_a_feature")


def in_place_of(table: str, changes: str) -> tuple[str, str]:
    """Statements that put a view with other values in the place of a view."""
    kept = f"{table}_as_it_was"
    return (
        f"create table {kept} as select * from {table}",
        f"create or replace view {table} as select * replace ({changes}) from {kept}",
    )


ALL_ROWS_WITH_SPLIT = f"""
    create or replace view {TRAINING_SET} as
    select
        {{split}} as split,
        coalesce(labels.is_purchase, false) as is_purchase,
        labels.matured_on,
        labels.label_definition_version,
        labels.source_row_key,
        features.*
    from insights.session_features as features
    inner join insights.session_labels as labels on features.session_id = labels.session_id
"""

DEFECTS = [
    defect(
        "an immature session is trained on",
        "assert_no_training_row_is_immature",
        ALL_ROWS_WITH_SPLIT.format(split="'train'"),
    ),
    defect(
        "not yet is read as no",
        "assert_immature_labels_are_null",
        f"update {LABELS} set is_purchase = false, label_source = 'recorded' "
        "where is_purchase is null",
    ),
    defect(
        "a customer who has not come back yet is read as gone",
        "assert_immature_churn_labels_are_null",
        f"update {CHURN_LABELS} set is_churned = returned_at is null, matured_on = as_of_on + 1 "
        "where is_churned is null",
    ),
    defect(
        "churn is a column of the feature table",
        "assert_no_label_is_a_feature",
        "create or replace view insights.customer_features as "
        f"select features.*, labels.is_churned from {CUSTOMER_FEATURES} as features "
        f"inner join {CHURN_LABELS} as labels "
        "on features.customer_id = labels.customer_id and features.as_of_on = labels.as_of_on",
    ),
    defect(
        "a customer's feature looks at what came on the as-of date",
        "expression_is_true_customer_features_history_until_at",
        f"update {CUSTOMER_FEATURES} set history_until_at = as_of_on",
    ),
    defect(
        "a customer without reviews has a neutral number of them",
        "expression_is_true_customer_features_has_review",
        f"update {CUSTOMER_FEATURES} set review_count = 0 where not has_review",
    ),
    defect(
        "a review that nobody scored is neutral",
        "expression_is_true_review_sentiment_",
        *in_place_of(
            "insights.review_sentiment",
            "coalesce(sentiment_label, 'neutral') as sentiment_label, "
            "coalesce(sentiment_score, 0) as sentiment_score",
        ),
    ),
    defect(
        "a review that nobody scored is neutral and looks scored",
        "expression_is_true_review_sentiment_",
        *in_place_of(
            "insights.review_sentiment",
            "'neutral' as sentiment_label, 0.0 as sentiment_score, 'embedded' as sentiment_source",
        ),
    ),
    defect(
        "a customer of whom no review was scored feels neutral",
        "assert_missing_sentiment_is_not_neutral",
        f"update {CUSTOMER_FEATURES} set mean_sentiment = 0 where mean_sentiment is null",
    ),
    defect(
        "a visitor of whom no review was scored feels neutral",
        "assert_missing_sentiment_is_not_neutral",
        f"update {FEATURES} set mean_prior_sentiment = 0 where mean_prior_sentiment is null",
    ),
    defect(
        "a summary says neutral where no review was scored",
        "expression_is_true_customer_insights_",
        "update insights.customer_insights set sentiment_score = 0 where sentiment_score is null",
    ),
    defect(
        "a customer is in two segments",
        "unique_combination_customer_segments",
        f"insert into {SEGMENTS} select * from {SEGMENTS} limit 10",
    ),
    defect(
        "a customer is in no segment",
        "assert_every_customer_is_in_one_segment",
        f"delete from {SEGMENTS} where segment = 'REGULAR'",
    ),
    defect(
        "churn labels stand beside rows by position",
        "assert_churn_label_history_is_complete",
        f"create or replace table {CHURN_LABELS} as select * replace "
        "(lead(is_churned) over (order by as_of_on, customer_id) as is_churned) "
        f"from {CHURN_LABELS}",
    ),
    defect(
        "the champion says the same about everybody",
        "assert_no_champion_is_constant",
        f"update {SCORED} set score = 0.2",
    ),
    defect(
        "a model serves that is no better than a constant",
        "assert_every_promoted_model_beats_its_baselines",
        f"update {TRAINED} set lead_over_constant_low = -0.01",
    ),
    defect(
        "a perfect metric of no rows",
        "assert_nothing_is_measured_on_no_rows",
        f"update {TRAINED} set test_rows = 0, test_positives = 0, accuracy = 1.0",
    ),
    defect(
        "a perfect ranking of one class",
        "assert_nothing_is_measured_on_no_rows",
        f"update {TRAINED} set test_positives = 0, roc_auc = 1.0",
    ),
    defect(
        "scores are appended twice",
        UNIQUE_SCORES,
        f"insert into {SCORED} select * from {SCORED} limit 10",
    ),
    defect(
        "explanations are appended twice",
        UNIQUE_EXPLANATIONS,
        f"insert into {EXPLAINED} select * from {EXPLAINED} limit 10",
    ),
    defect(
        "the label is a column of the feature table",
        "assert_no_label_is_a_feature",
        "create or replace view insights.session_features as "
        f"select features.*, labels.is_purchase from {FEATURES} as features "
        f"inner join {LABELS} as labels on features.session_id = labels.session_id",
    ),
    defect(
        "the label is a row of the feature catalog",
        "assert_no_label_is_a_feature",
        "update insights_vocabulary.feature_catalog set feature = 'is_purchase' "
        "where feature = 'region'",
    ),
    defect(
        "a column comes into the feature table past the catalog",
        CATALOGED,
        "create or replace view insights.session_features as "
        f"select *, exit_rates * 2 as proxy from {FEATURES}",
    ),
    defect(
        "a feature looks at what came after",
        "assert_no_training_row_looks_ahead",
        f"update {FEATURES} set history_until_at = started_at + interval 1 hour",
    ),
    defect(
        "the champion was trained with a feature that leaks",
        "assert_no_champion_leaks",
        f"""update {TRAINED} set leaking_features = '["exit_rates"]'""",
    ),
    defect(
        "the champion's best feature is suspiciously good and nobody says why",
        "assert_no_champion_leaks",
        f"update {TRAINED} set best_single_feature = 'exit_rates', "
        "best_single_feature_roc_auc = 0.93",
    ),
    defect(
        "scores come from nowhere",
        "assert_every_score_names_its_model",
        f"update {SCORED} set model_version = 'v1' where score_decile = 10",
    ),
    defect(
        "the decision behind the scores is gone",
        "assert_every_score_names_its_model",
        f"delete from {TRAINED} where model_name = 'purchase_intent_in_session'",
    ),
    defect(
        "nobody knows how the serving model was trained",
        "assert_every_serving_version_was_trained_once",
        f"update {TRAINED} set artifact = null, artifact_sha256 = null",
    ),
    defect(
        "a decision was deleted",
        "assert_decisions_are_numbered_without_gaps",
        f"update {TRAINED} set decision_number = 3",
    ),
    defect(
        "rows that the model knew count as new",
        "assert_sample_roles_follow_the_windows",
        f"update {SCORED} set sample_role = 'new'",
    ),
    defect(
        "rows are split at random instead of by time",
        "assert_splits_are_in_order_of_time",
        ALL_ROWS_WITH_SPLIT.format(
            split="case when hash(features.session_id) % 2 = 0 then 'train' else 'test' end"
        ),
    ),
    defect(
        "labels of one split are decided in the window of the next",
        "assert_no_label_window_reaches_into_a_later_split",
        f"""
        create or replace view {CHURN_TRAINING_SET} as
        select
            case
                when as_of_on = (select max(as_of_on) from insights_internal.churn_examples)
                    then 'test'
                when as_of_on >= (select max(as_of_on) from insights_internal.churn_examples) - 40
                    then 'validation'
                else 'train'
            end as split,
            *
        from insights_internal.churn_examples
        """,
    ),
    defect(
        "a churn model learns from labels that may still change",
        "assert_no_training_row_is_immature",
        f"""
        create or replace view {CHURN_TRAINING_SET} as
        select 'train' as split, labels.returned_at is null as is_churned, labels.matured_on,
            labels.label_definition_version, labels.source_row_key, features.*
        from {CHURN_LABELS} as labels
        inner join {CUSTOMER_FEATURES} as features using (customer_id, as_of_on)
        """,
    ),
    defect(
        "days that no split had count as validated",
        "assert_sample_roles_follow_the_windows",
        f"update {TRAINED} set validation_from_on = validation_from_on + 5",
    ),
    defect(
        "a churn model is promoted that recency alone beats",
        "assert_every_promoted_model_beats_its_baselines",
        f"update {CHURN_TRAINED} set decision = 'trained_promoted', "
        "lead_over_best_single_feature_low = -0.01",
    ),
    defect(
        "scores stand beside rows by position",
        "assert_predictions_and_deciles_follow_the_score",
        f"create or replace table {SCORED} as select * replace "
        f"(lead(score, 1, score) over (order by session_id) as score) from {SCORED}",
    ),
    defect(
        "churn scores stand beside customers by position",
        "assert_predictions_and_deciles_follow_the_score",
        f"create or replace table {CHURN_SCORED} as select * replace (lead(score, 1, score) "
        f"over (order by as_of_on, customer_id) as score) from {CHURN_SCORED}",
    ),
    defect(
        "scores stand beside recommendations by position",
        "assert_recommendations_have_their_own_score",
        # A rule ranks this shop's products: first as if a model had scored them, then one row off.
        f"insert into {PRODUCTS_SCORED} by name select customer_id, as_of_on, product_id, "
        "'product_recommendations' as model_name, 'v1' as model_version, "
        f"1 / (1 + rank) as score from {RECOMMENDED}",
        f"update {RECOMMENDED} set ranker = 'model', model_version = 'v1', score = 1 / (1 + rank)",
        f"create or replace table {RECOMMENDED} as select * replace (lead(score, 1, score) "
        f"over (order by customer_id, rank) as score) from {RECOMMENDED}",
    ),
    defect(
        "a protected feature is left out of models and out of sight",
        "assert_every_protected_feature_has_slices",
        "update insights_vocabulary.feature_catalog set is_protected = true "
        "where feature = 'region'",
    ),
    defect(
        "labels stand beside rows by position",
        "assert_label_history_is_complete",
        f"create or replace table {LABELS} as select * replace "
        f"(lead(is_purchase) over (order by session_id) as is_purchase) from {LABELS}",
    ),
    defect(
        "contributions stand beside rows by position",
        "assert_explanations_are_ranked_by_size",
        f"create or replace table {EXPLAINED} as select * replace "
        "(lead(contribution, 1, contribution) over (order by model_name, entity_id, rank) "
        f"as contribution) from {EXPLAINED}",
    ),
    defect(
        "a product is recommended twice",
        "assert_recommendations_are_ranked_without_gaps",
        f"insert into {RECOMMENDED} select * replace (rank + 1 as rank) from {RECOMMENDED} "
        "qualify row_number() over (partition by customer_id order by rank desc) = 1",
    ),
    defect(
        "a place of the list is missing",
        "assert_recommendations_are_ranked_without_gaps",
        f"delete from {RECOMMENDED} where rank = 2",
    ),
    defect(
        "recommendations come from nowhere",
        "assert_every_recommendation_names_its_model",
        f"update {RECOMMENDED} set model_version = 'v1' where rank = 1",
    ),
    defect(
        "products are numbered for serving",
        "assert_products_have_one_id_everywhere",
        f"create or replace table {RECOMMENDED} as select * replace "
        "(cast(dense_rank() over (order by product_id) as varchar) as product_id) "
        f"from {RECOMMENDED}",
    ),
    defect(
        "products are numbered for training",
        "assert_products_have_one_id_everywhere",
        *in_place_of(
            "insights_internal.product_recommendations_training_set",
            "cast(dense_rank() over (order by product_id) as varchar) as product_id",
        ),
    ),
]


@pytest.fixture(scope="module")
def healthy(dbt: DbtWorker, built: DbtProject) -> dict[str, str]:
    """The status of the data tests on the healthy database."""
    chosen = (
        "assert_*",
        "test_name:unique_combination",
        "test_name:columns_in_catalog",
        "test_name:expression_is_true,customer_features",
        "test_name:expression_is_true,customer_insights",
        "test_name:expression_is_true,review_sentiment",
    )
    return dict(dbt.run(built, "--write-json", "test", "--select", *chosen).statuses)


@pytest.fixture(scope="module")
def queries(built: DbtProject, healthy: dict[str, str]) -> dict[str, str]:
    """The query of each of these tests, as dbt ran it: it gives the rows that fail."""
    ran = json.loads((built.folder / "target" / "run_results.json").read_text(encoding="utf-8"))
    return {
        result["unique_id"].split(".")[2]: result["compiled_code"]
        for result in ran["results"]
        if result["unique_id"].startswith("test.")
    }


def test_the_healthy_database_passes(healthy: dict[str, str]) -> None:
    assert set(healthy.values()) == {"success", "pass"}
    for known in DEFECTS:
        assert any(name.startswith(known.found_by) for name in healthy), known.found_by


@pytest.mark.parametrize("known", DEFECTS, ids=lambda known: known.name.replace(" ", "_"))
def test_a_data_test_finds_the_defect(
    dbt: DbtWorker, copied: DbtProject, queries: dict[str, str], known: Defect
) -> None:
    names = [name for name in queries if name.startswith(known.found_by)]
    change(copied, *known.statements)
    if known.found_by in WRITTEN_BY_COLUMNS:
        found = dbt.run(copied, "test", "--select", *names, check=False)
        failed = [name for name in names if found.statuses[name] == "fail"]
    else:
        failed = [name for name in names if copied.query(queries[name])]
    assert failed


# --- immature labels, and a run date that stands still ---


def test_labels_that_have_not_arrived_are_null_and_not_a_lower_purchase_rate(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    put_raw(dbt_project, shop(ShopConfig(scale=0.2, scenario="immature_labels")))
    dbt.run(dbt_project, "seed")
    dbt.run(dbt_project, "run", "--select", "+purchase_intent_training_set")
    sessions, immature, rate, naive_rate = dbt_project.query(
        "select count(*), count(*) filter (is_purchase is null), avg(is_purchase::int), "
        "avg(coalesce(is_purchase, false)::int) from insights.session_labels"
    )[0]
    assert immature > 20
    assert naive_rate < rate
    assert naive_rate == pytest.approx(rate * (1 - immature / sessions))
    # The last week alone shows what the naive label would teach: nobody buys any more.
    assert dbt_project.query(
        "select count(*), avg(coalesce(is_purchase, false)::int) from insights.session_labels "
        "where session_on >= (select max(session_on) - 5 from insights.session_labels)"
    )[0][1] == pytest.approx(0.0)
    trained_on, trained_rate = dbt_project.query(
        f"select count(*), avg(is_purchase::int) from {TRAINING_SET}"
    )[0]
    assert trained_on == sessions - immature
    assert trained_rate == pytest.approx(rate)


def before(tables: Tables, moment: datetime) -> Tables:
    """The shop as it was at a moment."""
    times = {"sessions": "started_at", "orders": "ordered_at"}
    cut = pa.scalar(moment, pa.timestamp("us"))
    return {
        name: rows.filter(pc.less(rows[times[name]], cut)) if name in times else rows
        for name, rows in tables.items()
    }


def test_labels_mature_as_data_arrive(dbt: DbtWorker, dbt_project: DbtProject) -> None:
    cut = datetime(2024, 8, 1)
    started = []
    last_day = (
        "from insights.session_labels inner join insights.session_features using (session_id) "
        f"where started_at >= '{cut - timedelta(hours=20)}' and started_at < '{cut}'"
    )
    open_labels = []
    dbt.run(dbt_project, "seed")
    for tables in (before(shop(SHOP), cut), shop(SHOP)):
        put_raw(dbt_project, tables)
        dbt.run(dbt_project, "run", "--select", "+session_label_observations", "+session_features")
        dbt.run(dbt_project, "snapshot", "--select", "session_label_history")
        started.append(
            dbt_project.query(
                "select max(dbt_valid_from) from insights_history.session_label_history"
            )
        )
        open_labels.append(
            dbt_project.query(f"select count(*), count(session_labels.is_purchase) {last_day}")[0]
        )
    (sessions, known), (sessions_later, known_later) = open_labels
    assert sessions > 0
    assert known == 0
    assert known_later == sessions_later == sessions
    assert started[0] < started[1]
    # History knows them since the second run only, with one value each.
    assert dbt_project.query(
        "select count(*), count(distinct session_id), min(history.dbt_valid_from) "
        "from insights_history.session_label_history as history "
        "inner join insights.session_features using (session_id) "
        f"where started_at >= '{cut - timedelta(hours=20)}' and started_at < '{cut}'"
    ) == [(sessions, sessions, started[1][0][0])]


FROZEN_PROJECT = {
    "dbt_project.yml": "name: frozen\nversion: 0.1.0\nprofile: customer_insights\n",
    "models/times.sql": (
        "select '{{ model.config.meta.run_date }}' as frozen_at, "
        "'at {{ run_started_at }}' as run_started_at"
    ),
    "models/times.yml": (
        "models:\n  - name: times\n    config:\n      meta:\n"
        '        run_date: "at {{ run_started_at }}"\n'
    ),
}


def dbt_process(project: DbtProject, project_dir: Path, *arguments: str) -> str:
    """One call of dbt, as a person makes it; returns what it said."""
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            *arguments,
            "--project-dir",
            str(project_dir),
            *project.common_arguments[2:],
        ],
        env=project.environment(SETTINGS),
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_start_of_the_run_is_not_frozen_by_partial_parsing(dbt: DbtWorker) -> None:
    # The worker has parsed the project in its folder, so that both processes parse partially.
    seen = set()
    for _ in range(2):
        shown = dbt_process(dbt.project, PROJECT_DIR, "run", "--select", "run_context")
        assert "Unable to do partial parsing" not in shown
        seen |= set(
            dbt.project.query(
                "select run_started_at, invocation_id from insights_internal.run_context"
            )
        )
    assert len(seen) == 2
    assert all(
        abs(started - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=5)
        for started, _ in seen
    )


def test_a_run_date_in_yaml_would_be_frozen(dbt_project: DbtProject) -> None:
    files = dbt_project.folder / "frozen"
    for name, text in FROZEN_PROJECT.items():
        path = files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    seen = []
    for _ in range(2):
        dbt_process(dbt_project, files, "run")
        seen += dbt_project.query("select frozen_at, run_started_at from insights.times")
    (frozen, started), (frozen_later, started_later) = seen
    assert started != started_later
    assert frozen == frozen_later, "dbt renders it anew now: the frozen date is no danger any more"


# --- constant predictors, target proxies ---


def with_sessions(tables: Tables, column: str, values: pa.Array) -> Tables:
    """The shop with other values in a column of its sessions."""
    sessions = tables["sessions"]
    field = RAW_SCHEMAS["sessions"].field(column)
    place = sessions.column_names.index(column)
    return tables | {"sessions": sessions.set_column(place, field, values)}


@pytest.mark.long
def test_a_shop_that_cannot_be_predicted_gets_no_champion(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    """Labels drawn anew tell nothing; the model of such a shop is close to a constant."""
    labels = shop(SHOP)["sessions"]["is_purchase"]
    drawn = np.random.default_rng(5).permutation(len(labels))
    put_raw(dbt_project, with_sessions(shop(SHOP), "is_purchase", labels.take(pa.array(drawn))))
    dbt.run(dbt_project, *BUILD)
    runs = rows_of(
        dbt_project,
        "select * from insights.model_runs where model_name like 'purchase_intent%' order by 1, 2",
    )
    assert [run["model_name"] for run in runs] == MODELS
    for run in runs:
        assert run["decision"] == "trained_rejected"
        assert "pr_auc is not above that of the constant beyond noise" in run["reason"]
        assert not run["is_champion"]
    assert dbt_project.query("select count(*) from insights.purchase_intent_scores") == [(0,)]


def test_a_constant_looks_accurate_and_has_no_lead() -> None:
    labels = np.random.default_rng(1).random(2000) < 0.15
    constant = Scored(np.full(2000, 0.15), threshold=0.5)
    performance = compare(
        labels, constant, {"constant": constant}, primary_metric="pr_auc", replicates=100, seed=1
    )
    assert performance.performance.confusion
    assert performance.performance.confusion.accuracy > 0.8  # what a naive check is content with
    assert performance.performance.f1.value == 0.0
    assert performance.performance.roc_auc.value == 0.5
    assert performance.lead["constant"].low == performance.lead["constant"].high == 0.0


def with_proxy(tables: Tables) -> Tables:
    """A load time that mostly tells who bought, as of a page that only buyers see."""
    bought = pc.fill_null(tables["sessions"]["is_purchase"], False).to_numpy()
    random = np.random.default_rng(2)
    told = bought ^ (random.random(len(bought)) < 0.04)
    proxy = np.where(told, 300, 3000) + random.integers(0, 200, len(bought))
    return with_sessions(tables, "page_load_time_ms", pa.array(proxy, pa.int32()))


def test_a_proxy_of_the_target_keeps_its_model_from_serving(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    put_raw(dbt_project, with_proxy(shop(SHOP)))
    dbt.run(dbt_project, *BUILD)
    runs = rows_of(
        dbt_project,
        "select * from insights.model_runs where model_name like 'purchase_intent%' order by 1, 2",
    )
    assert [run["model_name"] for run in runs] == MODELS
    for run in runs:
        assert run["decision"] == "trained_rejected"
        assert "feature page_load_time_ms alone has a ROC-AUC above 0.85" in run["reason"]
        assert run["leaking_features"] == '["page_load_time_ms"]'
    assert dbt_project.query("select count(*) from insights.purchase_intent_scores") == [(0,)]


@pytest.mark.long
def test_where_nobody_watches_for_a_proxy_its_model_serves_and_the_data_test_fails(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    put_raw(dbt_project, with_proxy(shop(SHOP)))
    dbt.run(dbt_project, *BUILD, env={"LEAK_ROC_AUC": "1"})
    assert dbt_project.query("select count(*) from insights.purchase_intent_scores") > [(0,)]
    found = dbt.run(dbt_project, "test", "--select", "assert_no_champion_leaks", check=False)
    assert found.statuses["assert_no_champion_leaks"] == "fail"


# --- nothing to measure on ---


def naive_accuracy(right: int, rows: int) -> float:
    return right / rows if rows else 1.0


def test_without_rows_there_is_no_metric_rather_than_a_perfect_one() -> None:
    nothing = Confusion.at(np.empty(0, bool), np.empty(0), threshold=0.5)
    assert naive_accuracy(0, 0) == 1.0
    assert nothing.accuracy is None
    assert nothing.precision is None
    assert nothing.recall is None
    assert nothing.f1 is None


# --- again and again ---


def test_a_second_build_scores_and_explains_nothing_again(
    dbt: DbtWorker, copied: DbtProject
) -> None:
    kept = [SCORED, EXPLAINED, "insights_history.session_label_history"]
    before_it = contents(copied)
    dbt.run(copied, *BUILD)
    after_it = contents(copied)
    assert {name: after_it[name] for name in kept} == {name: before_it[name] for name in kept}
    runs = rows_of(copied, "select * from insights.model_runs where decision_number = 2")
    for run in [run for run in runs if run["model_name"] in MODELS]:
        assert run["decision"] == "kept"
        # Nothing is new since the test window: nothing is measured.
        assert run["test_rows"] == 0
        assert [run[name] for name in ("roc_auc", "pr_auc", "f1", "brier", "accuracy")] == [
            None
        ] * 5
    started = "select run_started_at from insights_internal.run_context"
    assert copied.query(f"select count(*) from {SCORED} where scored_at = ({started})") == [(0,)]


@pytest.mark.long
def test_only_a_changed_session_is_scored_again(dbt: DbtWorker, copied: DbtProject) -> None:
    session_id = copied.query(
        "select max(session_id) from insights.purchase_intent_scores where score_decile = 10"
    )[0][0]
    change(
        copied,
        "update raw.sessions set page_load_time_ms = page_load_time_ms + 1 "
        f"where session_id = '{session_id}'",
    )
    rows = copied.query(f"select count(*) from {SCORED}")
    explained = contents(copied)[EXPLAINED][0]
    # The log keeps its champion, whatever has changed in what it was trained on.
    dbt.run(copied, "run", "--exclude", "purchase_intent_trained")
    started = "select run_started_at from insights_internal.run_context"
    assert copied.query(
        f"select session_id, count(*) from {SCORED} where scored_at = ({started}) group by all"
    ) == [(session_id, 2)]
    assert copied.query(f"select count(*) from {SCORED}") == rows
    again = copied.query(
        f"select count(*) from {EXPLAINED} as explained where entity_id = '{session_id}'"
    )[0][0]
    assert again > 0
    assert contents(copied)[EXPLAINED][0] - explained <= again


# --- the row that counts ---


NAIVE = """
    select session_id, page_load_time_ms
    from (
        select *, row_number() over (partition by session_id order by session_id) as place
        from raw.sessions
    )
    where place = 1
    order by session_id
"""


def test_the_row_that_counts_for_a_key_does_not_depend_on_the_order_of_rows(
    dbt: DbtWorker, tmp_path: Path
) -> None:
    tables = shop(ShopConfig(scale=0.15, scenario="broken_rows"))
    sessions = tables["sessions"]
    backwards = sessions.take(pa.array(np.arange(sessions.num_rows)[::-1]))
    naive, ours = [], []
    for number, rows in enumerate((sessions, backwards)):
        folder = tmp_path / str(number)
        folder.mkdir()
        project = create_dbt_project(folder)
        put_raw(project, {"sessions": rows})
        with duckdb.connect(str(project.database)) as connection:
            connection.execute("set threads = 1")
            naive.append(connection.execute(NAIVE).fetchall())
        dbt.run(project, "run", "--select", "checked_sessions", "stg_sessions")
        ours.append(
            project.query(
                "select session_id, page_load_time_ms from insights_staging.stg_sessions "
                "order by session_id"
            )
        )
    assert naive[0] != naive[1]
    assert ours[0] == ours[1]


# --- ids, and rows by key ---


def codes_by_appearance(values: list[str]) -> dict[str, int]:
    """What a fresh encoder gives each time: the order of appearance decides."""
    return {value: code for code, value in enumerate(dict.fromkeys(values))}


def test_a_value_has_one_code_in_training_and_in_serving() -> None:
    trained = ["Returning_Visitor", "New_Visitor", "Other", "New_Visitor"]
    served = ["Other", "Returning_Visitor", "Unheard_Of"]
    fresh, again = codes_by_appearance(trained), codes_by_appearance(served)
    assert fresh["Other"] != again["Other"]
    feature = Feature("visitor_type", "category")
    encoder = fit_encoder(pa.table({"visitor_type": trained}), [feature])
    in_training = dict(
        zip(trained, encoder.encode(pa.table({"visitor_type": trained}))[:, 0], strict=True)
    )
    in_serving = dict(
        zip(served, encoder.encode(pa.table({"visitor_type": served}))[:, 0], strict=True)
    )
    assert in_serving["Other"] == in_training["Other"]
    assert in_serving["Returning_Visitor"] == in_training["Returning_Visitor"]
    assert np.isnan(in_serving["Unheard_Of"])


def test_two_frames_are_matched_by_key_not_by_position() -> None:
    features = pa.table({"id": ["a", "b", "c"], "features_hash": ["1", "2", "3"]})
    scored = pa.table({"id": ["c", "a"], "features_hash": ["3", "1"]})
    by_position = [
        key
        for key, done in zip(features["id"].to_pylist(), scored["id"].to_pylist(), strict=False)
        if key != done
    ]
    with duckdb.connect() as connection:
        due = DuckDBRelation(connection.from_arrow(features)).not_matching(
            DuckDBRelation(connection.from_arrow(scored)), ["id", "features_hash"]
        )
        assert due.read()["id"].to_pylist() == ["b"]
    assert by_position == ["a", "b"]


# --- every number comes from somewhere ---


@dataclass(frozen=True)
class Scoring:
    """What is stored of a task: log, features, scores and labels, and what a row is known by."""

    trained: str
    features: str
    scores: str
    labels: str
    label: str
    key: str


SCORINGS = (
    Scoring(
        TRAINED,
        "insights.session_features",
        "insights.purchase_intent_scores",
        "insights.session_labels",
        "is_purchase",
        "session_id",
    ),
    Scoring(
        CHURN_TRAINED,
        "insights.customer_features",
        "insights.churn_scores",
        "insights.churn_labels",
        "is_churned",
        "customer_id, as_of_on",
    ),
)


def unexplained(project: DbtProject) -> list[str]:
    """Numbers of model_runs and scores that the stored models, features and labels do not give."""
    with duckdb.connect(str(project.database), read_only=True) as connection:
        return [problem for task in SCORINGS for problem in unexplained_of(connection, task)]


def unexplained_of(connection: duckdb.DuckDBPyConnection, task: Scoring) -> list[str]:
    """The same of one task."""
    found = []
    key = f"concat_ws(' ', {task.key})"
    features = connection.sql(
        f"select *, {key} as row_key from {task.features} order by row_key"
    ).to_arrow_table()
    runs = connection.sql(f"select * from {task.trained} where artifact is not null")
    for run in runs.to_arrow_table().to_pylist():
        model = TrainedModel.from_bytes(run["artifact"], run["artifact_sha256"])
        again = dict(zip(features["row_key"].to_pylist(), model.score(features, 1), strict=True))
        tested = connection.execute(
            f"select {key}, score, sample_role, {task.label} from {task.scores} "
            f"inner join {task.labels} using ({task.key}) "
            "where model_name = ? and model_version = ? order by 1",
            [run["model_name"], run["model_version"]],
        ).fetchall()
        found += [
            f"score of {row_key}"
            for row_key, score, _, _ in tested
            if abs(score - again[row_key]) > 1e-9
        ]
        rows = [
            (score, label)
            for _, score, role, label in tested
            if role == "test" and label is not None
        ]
        scores, labels = zip(*rows, strict=True)
        figures = {
            "roc_auc": roc_auc_score(labels, scores),
            "pr_auc": average_precision_score(labels, scores),
            "brier": brier_score_loss(labels, scores),
            "test_rows": len(labels),
            "test_positives": sum(labels),
        }
        found += [
            f"{name} of {run['model_run_id']}"
            for name, value in figures.items()
            if abs(value - run[name]) > 1e-9
        ]
    return found


def test_every_score_and_figure_can_be_made_again(built: DbtProject) -> None:
    assert unexplained(built) == []
    assert built.query(
        "select count(*) from insights.purchase_intent_scores as scores "
        "left join insights.model_runs as runs on scores.model_name = runs.model_name "
        "and scores.model_version = runs.model_version and runs.artifact_sha256 is not null "
        "where runs.model_run_id is null"
    ) == [(0,)]


def test_what_churn_was_trained_on_is_known_when_its_labels_are_gone(
    dbt: DbtWorker, copied: DbtProject
) -> None:
    """Of sessions test_lifecycle.py shows it, with a build in between."""
    (decision,) = rows_of(copied, f"select * from {CHURN_TRAINED}")
    lineage = label_lineage(dbt, copied)
    asked = (decision, "insights.customer_features", ["customer_id", "as_of_on"], "is_churned")
    assert rebuilt_hash(copied, lineage, *asked) == decision["training_set_hash"]
    # As with as-of dates that are kept no longer.
    change(
        copied,
        *(
            f"delete from {CHURN_LABELS} where as_of_on = date '{decision[day]}'"
            for day in ("train_from_on", "test_to_on")
        ),
    )
    assert rebuilt_hash(copied, lineage, *asked) == decision["training_set_hash"]
    ((gone,),) = copied.query(
        f"select count(*) from ({lineage}) where model_name = 'churn' and is_positive_now is null"
    )
    assert gone > 50


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"update {TRAINED} set roc_auc = 0.99", "roc_auc of"),
        (f"update {TRAINED} set test_rows = test_rows + 1", "test_rows of"),
        (f"update {SCORED} set score = 1 - score where score_decile = 1", "score of"),
        (
            f"create or replace table {SCORED} as select * replace "
            f"(lead(score, 1, score) over (order by session_id) as score) from {SCORED}",
            "score of",
        ),
        (f"update {CHURN_TRAINED} set pr_auc = 0.99", "pr_auc of"),
        (f"update {CHURN_SCORED} set score = round(score, 2)", "score of"),
    ],
    ids=[
        "a_metric",
        "a_row_count",
        "some_scores",
        "scores_by_position",
        "a_metric_of_churn",
        "scores_of_churn",
    ],
)
def test_an_invented_number_is_found(copied: DbtProject, statement: str, words: str) -> None:
    change(copied, statement)
    assert [problem for problem in unexplained(copied) if problem.startswith(words)]


# --- branches that nobody reaches ---


def listed_values(path: str, column: str) -> set[Any]:
    """The values that a model's `.yml` allows in a column."""
    (model,) = yaml.safe_load((PROJECT_DIR / path).read_text())["models"]
    (described,) = [entry for entry in model["columns"] if entry["name"] == column]
    for test in described["data_tests"]:
        if isinstance(test, dict) and "accepted_values" in test:
            return set(test["accepted_values"]["arguments"]["values"])
    raise AssertionError(f"{path} lists no values of {column}")


# One row for each way in which a session can be wrong; the number is a row of the shop.
WRONG_SESSIONS = {
    "missing_key": "session_id = null",
    "missing_value": "visitor_id = null",
    "later_than_loaded_at": "started_at = loaded_at + interval 1 second",
    "negative_duration": "administrative_duration = -1",
    "negative_count": "informational = -1",
    "rate_out_of_range": "bounce_rates = 1.01",
    "value_out_of_range": "page_values = 'infinity'",
    "rating_out_of_range": "product_rating = 5.01",
}
WRONG_CUSTOMERS = {
    "missing_key": "customer_id = null",
    "missing_value": "loaded_at = null",
    "later_than_loaded_at": "signed_up_on = cast(loaded_at as date) + 1",
    "later_than_as_of": "signed_up_on = '2024-12-21'",
    "age_out_of_range": "age = 131",
}
WRONG_PRODUCTS = {
    "missing_key": "product_id = null",
    "missing_value": "name = null",
    "negative_amount": "price_amount = -0.01",
}
WRONG_ORDERS = {
    "missing_key": "order_id = null",
    "missing_value": "customer_id = null",
    "later_than_loaded_at": "ordered_at = loaded_at + interval 1 second",
    "changed_before_ordered": "status_changed_at = ordered_at - interval 1 second",
    "unknown_status": "status = 'lost'",
    "negative_amount": "discount_amount = -0.01",
}
WRONG_ORDER_ITEMS = {
    "missing_key": "line_number = null",
    "missing_value": "product_id = null",
    "negative_amount": "unit_price_amount = -0.01",
    "quantity_not_positive": "quantity = 0",
}
WRONG_REVIEWS = {
    "missing_key": "review_id = null",
    "missing_value": "text = ' '",
    "later_than_loaded_at": "created_at = loaded_at + interval 1 second",
    "rating_out_of_range": "rating = 6",
}


def break_rows(project: DbtProject, table: str, key: str, wrong: dict[str, str]) -> None:
    keys = [
        value for (value,) in project.query(f"select {key} from raw.{table} order by 1 limit 20")
    ]
    change(
        project,
        f"insert into raw.{table} select * from raw.{table} where {key} = '{keys[-1]}'",
        *[
            f"update raw.{table} set {assignment} where {key} = '{broken}'"
            for broken, assignment in zip(keys, wrong.values(), strict=False)
        ],
    )


def test_every_reason_to_reject_a_row_can_be_reached(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    put_raw(dbt_project, shop(SHOP))
    break_rows(dbt_project, "sessions", "session_id", WRONG_SESSIONS)
    break_rows(dbt_project, "customers", "customer_id", WRONG_CUSTOMERS)
    break_rows(dbt_project, "products", "product_id", WRONG_PRODUCTS)
    break_rows(dbt_project, "orders", "order_id", WRONG_ORDERS)
    break_rows(dbt_project, "order_items", "order_id || '/' || line_number", WRONG_ORDER_ITEMS)
    break_rows(dbt_project, "reviews", "review_id", WRONG_REVIEWS)
    dbt.run(
        dbt_project,
        "run",
        "--select",
        *[f"checked_{table}" for table in RAW_SCHEMAS],
        env={"AS_OF": "2024-12-20"},
    )
    for table in RAW_SCHEMAS:
        reached = {
            reason
            for (reason,) in dbt_project.query(
                "select distinct reject_reason "
                f"from insights_staging.checked_{table} where reject_reason is not null"
            )
        }
        assert reached == listed_values(
            f"models/staging/internal/checked_{table}.yml", "reject_reason"
        )
    # The same comparison finds a branch that stands behind a wider one.
    shadowed = {
        reason
        for (reason,) in dbt_project.query(
            "select distinct case when session_id is null or visitor_id is null "
            "then 'missing_value' when session_id is null then 'missing_key' end "
            "from raw.sessions"
        )
    }
    assert "missing_value" in shadowed
    assert "missing_key" not in shadowed


def test_every_role_and_decile_can_be_reached(built: DbtProject) -> None:
    scores = "insights.purchase_intent_scores"
    roles = {role for (role,) in built.query(f"select distinct sample_role from {scores}")}
    listed = listed_values("models/purchase_intent/purchase_intent_scores.yml", "sample_role")
    # Windows of days leave nothing between them; those of as-of dates do.
    assert roles == listed - {"purged"}
    deciles = built.query(f"select distinct score_decile from {scores} order by 1")
    assert deciles == [(decile,) for decile in range(1, 11)]
    splits = {split for (split,) in built.query(f"select distinct split from {TRAINING_SET}")}
    assert splits == listed_values(
        "models/purchase_intent/internal/purchase_intent_training_set.yml", "split"
    )


def test_every_segment_can_be_reached(built: DbtProject) -> None:
    reached = {
        name for (name,) in built.query("select distinct segment from insights.customer_segments")
    }
    assert reached == listed_values(
        "models/recommendations/internal/customer_segments_computed.yml", "segment"
    )
    # A segment that stands behind a wider one would not be: here all that AT_RISK fits are taken.
    shadowed = {
        name
        for (name,) in built.query(
            "select distinct case when order_count <= 1000 then 'LOW_ENGAGEMENT' "
            "when recency_in_gaps > 2 then 'AT_RISK' end from insights.customer_features"
        )
    }
    assert shadowed == {"LOW_ENGAGEMENT"}


def test_what_changes_in_place_keeps_its_history(dbt: DbtWorker, dbt_project: DbtProject) -> None:
    put_raw(dbt_project, shop(SHOP))
    one = "(select min(customer_id) from raw.customers)"
    for statement in (
        "update raw.customers set plan = 'none'",
        # Loaded again, and nothing else: no other customer.
        "update raw.customers set loaded_at = loaded_at + interval 1 day",
        f"update raw.customers set plan = 'gold' where customer_id = {one}",
    ):
        change(dbt_project, statement)
        dbt.run(dbt_project, "run", "--select", "+stg_customers")
        dbt.run(dbt_project, "snapshot", "--select", "customer_history")
    history = dbt_project.query(
        "select customer_id, plan, dbt_valid_to is null from insights_history.customer_history "
        f"where customer_id = {one} order by dbt_valid_from"
    )
    assert [(plan, is_current) for _, plan, is_current in history] == [
        ("none", False),
        ("gold", True),
    ]
    others = dbt_project.query(
        "select count(*) = count(distinct customer_id) from insights_history.customer_history "
        f"where customer_id <> {one}"
    )
    assert others == [(True,)]
