"""The main job, end to end: tables are checked, not logs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import DbtWorker, change, make_build, put_raw, shop
from sklearn.metrics import roc_auc_score

from customer_insights.sample import ShopConfig, churn_truth

UCI_FILE = "online_shoppers_intention.csv"
MODELS = (
    "churn",
    "product_recommendations",
    "purchase_intent_after_session",
    "purchase_intent_in_session",
    "review_sentiment",
)
SESSION_MODELS = MODELS[2:4]


# Unit tests look at no data: once, in the first build, is enough.
AGAIN = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
# What a test compares row by row has passed its data tests before.
TABLES_ONLY = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test test"}


def build(project: DbtProject, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What `make build` runs, in the project's own folders; returns what a person sees."""
    done = make_build(project, *arguments, env=env)
    shown = done.stdout + done.stderr
    assert done.returncode == 0, shown
    assert "Traceback" not in shown
    return shown


def rows(project: DbtProject, table: str, order: Sequence[str]) -> list[tuple[Any, ...]]:
    return project.query(f"select * from {table} order by {', '.join(order)}")


KEPT_TABLES = {
    "insights_sample.session_features": ["session_id"],
    "insights_sample.session_labels": ["session_id"],
    "insights_sample.purchase_intent_scores": ["session_id", "model_name", "model_version"],
    "insights_sample.score_explanations": ["entity_id", "model_name", "model_version", "rank"],
    "insights_sample_history.session_label_history": ["session_id", "dbt_valid_from"],
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[DbtProject, str]:
    """The sample shop, built once, and what the build showed."""
    project = create_dbt_project(tmp_path_factory.mktemp("sample"))
    return project, build(project)


def test_the_first_build_trains_promotes_scores_and_explains(
    sample: tuple[DbtProject, str],
) -> None:
    project, shown = sample
    decisions = project.query(
        "select model_name, decision, is_champion from insights_sample.model_runs "
        "where decision_number = 1 order by model_name"
    )
    assert decisions == [(name, "trained_promoted", True) for name in MODELS]
    # A new champion scores the days that rescore_days says, up to the end of its test.
    sessions, scored, roles = project.query(
        "select (select count(*) from insights_sample.session_features where session_on > "
        "(select max(test_to_on) - 400 from insights_sample.model_runs "
        "where model_name like 'purchase_intent%')), "
        "count(distinct session_id), count(distinct sample_role) "
        "from insights_sample.purchase_intent_scores"
    )[0]
    assert scored == sessions > 9000
    assert roles == 4
    assert project.query("select count(*) from insights_sample.score_explanations")[0][0] > 5000
    for words in ("trained and promoted", "PR-AUC", "a constant", "alone", "Next:"):
        assert words in shown


def test_a_card_of_each_model_says_what_the_tables_say(
    sample: tuple[DbtProject, str], tmp_path: Path
) -> None:
    project, _ = sample
    shown = make_build(project, "--folder", str(tmp_path), command="cards")
    assert shown.returncode == 0, shown.stderr
    figures = project.query(
        "select model_name, roc_auc, roc_auc_low, roc_auc_high, artifact_sha256 "
        "from insights_sample.model_runs where artifact_sha256 is not null"
    )
    assert sorted(name for name, *_ in figures) == sorted(MODELS)
    for name, value, low, high, digest in figures:
        page = (tmp_path / f"{name}.md").read_text(encoding="utf-8")
        assert f"| ROC-AUC | {value:.3f} [{low:.3f}, {high:.3f}] | 0.5 by definition |" in page
        assert f"| {digest} |" in page
    # A ranker's scores are an order of products, no rates; n-grams have no names to explain by.
    pictures = {
        *(f"{name}_{kind}" for name in SESSION_MODELS for kind in ("calibration", "importance")),
        *("churn_calibration", "churn_importance"),
        *("product_recommendations_ranking", "product_recommendations_importance"),
        # Of no language are there enough texts of few stars.
        "review_sentiment_calibration",
    }
    assert {path.stem for path in tmp_path.glob("*.svg")} == pictures
    page = (tmp_path / "product_recommendations.md").read_text(encoding="utf-8")
    ranked = project.query(
        "select segment, customers, ndcg_10, ndcg_10_low, ndcg_10_high "
        "from insights_sample.recommendation_quality "
        "where ranker = 'model' and item_kind = 'all' and customers > 1"
    )
    assert len(ranked) > 3
    for segment, count, value, low, high in ranked:
        shown = f"{value:.3f} [{low:.3f}, {high:.3f}]"
        assert f"| any product | {segment} | {count:,} | {shown} |" in page
    moved = project.query(
        "select feature, mean_absolute_contribution, explained_rows "
        "from insights_sample.feature_importance where model_name = 'product_recommendations'"
    )
    assert len(moved) == 28
    for feature, size, rows in moved:
        assert f"| {feature} | {size:.3f} | {rows:,} |" in page
    groups = project.query(
        "select slice, test_rows, expected_rate from insights_sample.protected_slices "
        "where model_name = 'churn' and column_name = 'gender' and positives is not null"
    )
    assert {"female", "male"} <= {name for name, *_ in groups}
    page = (tmp_path / "churn.md").read_text(encoding="utf-8")
    for name, count, rate in groups:
        assert f"| gender | {name} | {count:,} | {rate:.3f} |" in page


def test_sentiment_is_watched_as_it_was_tested(sample: tuple[DbtProject, str]) -> None:
    """Stored scores of its test rows give the figures that training saw."""
    project, _ = sample
    tested = project.query(
        "select is_positive, score from insights_sample_internal.scored_rows "
        "where model_name = 'review_sentiment' and sample_role = 'test'"
    )
    labels, scores = (np.array(column, dtype=float) for column in zip(*tested, strict=True))
    ((test_rows, roc_auc),) = project.query(
        "select test_rows, roc_auc from insights_sample.model_runs "
        "where model_name = 'review_sentiment' and decision = 'trained_promoted'"
    )
    # Few texts were written before without stars: an earlier model had scored those.
    assert 0.95 * test_rows <= len(labels) <= test_rows
    assert roc_auc_score(labels, scores) == pytest.approx(roc_auc, abs=0.01)
    drift = project.query(
        "select sum(current_rows)::bigint from insights_sample.prediction_drift "
        "where model_name = 'review_sentiment'"
    )
    assert drift == [(len(labels),)]


@pytest.mark.long
def test_a_second_build_changes_nothing_but_its_entry_in_the_log(
    sample: tuple[DbtProject, str],
) -> None:
    project, _ = sample
    before = {table: rows(project, table, order) for table, order in KEPT_TABLES.items()}
    build(project, env=AGAIN)
    after = {table: rows(project, table, order) for table, order in KEPT_TABLES.items()}
    for table in KEPT_TABLES:
        assert before[table] == after[table], table
    log = project.query(
        "select model_name, decision_number, decision, is_champion, model_version = "
        "first_value(model_version) over (partition by model_name order by decision_number) "
        "from insights_sample.model_runs order by all"
    )
    assert log == [
        entry
        for name in MODELS
        for entry in (
            (name, 1, "trained_promoted", True, True),
            (name, 2, "kept", True, True),
        )
    ]
    trained = project.query(
        "select count(*) from insights_sample_internal.purchase_intent_trained "
        "where artifact is not null"
    )
    assert trained == [(2,)]
    leftovers = project.query(
        "select table_name from information_schema.tables where table_name like '%\\_\\_dbt\\_%' "
        "escape '\\'"
    )
    assert leftovers == []


@pytest.mark.long
def test_a_full_refresh_keeps_decisions_models_and_scores(sample: tuple[DbtProject, str]) -> None:
    project, _ = sample
    count = "select count(*) from insights_sample_internal.purchase_intent_{}"
    before = [project.query(count.format(name))[0][0] for name in ("trained", "scored")]
    project.run_dbt("run", "--full-refresh")
    after = [project.query(count.format(name))[0][0] for name in ("trained", "scored")]
    assert after == [before[0] + len(SESSION_MODELS), before[1]]


FIVE_SHOPS = [ShopConfig(seed=seed) for seed in (20240101, 1, 2, 3, 4)]


@pytest.fixture(scope="module")
def five_shops(
    dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[ShopConfig, DbtProject]]:
    """Sample shops of several seeds, with the scores of one model of each task."""
    built = []
    for config in FIVE_SHOPS:
        project = create_dbt_project(tmp_path_factory.mktemp("shop"))
        put_raw(project, shop(config))
        dbt.run(project, "seed", "--select", "vocabulary")
        # The other model of sessions would take a third of the time.
        change(
            project,
            "delete from insights_vocabulary.model_catalog "
            "where model_name not in ('purchase_intent_in_session', 'churn')",
        )
        dbt.run(project, "run", "--select", "+purchase_intent_scores", "+churn_scores")
        built.append((config, project))
    return built


def share_of_lift(truth: Mapping[str, float], tested: Sequence[tuple[str, float, bool]]) -> float:
    """ROC-AUC above 0.5 of scores, relative to that of the true probabilities of the same rows."""
    labels = [label for _, _, label in tested]
    true_lift = roc_auc_score(labels, [truth[key] for key, _, _ in tested]) - 0.5
    return float((roc_auc_score(labels, [score for _, score, _ in tested]) - 0.5) / true_lift)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_purchase_intent_recovers_95_percent_of_the_true_lift(
    five_shops: list[tuple[ShopConfig, DbtProject]],
) -> None:
    """Mean over five shops."""
    shares = []
    for config, project in five_shops:
        truth = dict(zip(*shop(config)["session_truth"].to_pydict().values(), strict=True))
        tested = project.query(
            "select session_id, score, is_purchase from insights.purchase_intent_scores "
            "inner join insights.session_labels using (session_id) where sample_role = 'test'"
        )
        shares.append(share_of_lift(truth, tested))
    assert np.mean(shares) >= 0.95, shares


@pytest.mark.long
@pytest.mark.timeout(900)
def test_churn_recovers_95_percent_of_the_true_hazards_lift(
    five_shops: list[tuple[ShopConfig, DbtProject]],
) -> None:
    """Mean over five shops."""
    shares = []
    for config, project in five_shops:
        tested = project.query(
            "select customer_id, score, is_churned from insights.churn_scores "
            "inner join insights.churn_labels using (customer_id, as_of_on) "
            "where sample_role = 'test'"
        )
        [(test_on,)] = project.query(
            "select max(as_of_on) from insights.churn_scores where sample_role = 'test'"
        )
        truth = {
            customer: probability
            for block in churn_truth(config, test_on, 90)
            for customer, _, probability in zip(*block.to_pydict().values(), strict=True)
        }
        shares.append(share_of_lift(truth, tested))
    assert np.mean(shares) >= 0.95, shares


@pytest.fixture(scope="module")
def uci(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> DbtProject:
    """The UCI file, loaded and built."""
    project = create_dbt_project(tmp_path_factory.mktemp("uci"))
    build(project, "--data", str(shared_data / UCI_FILE), env=AGAIN)
    return project


def test_the_uci_file_is_loaded_trained_and_scored(uci: DbtProject) -> None:
    assert uci.query(
        "select count(*), count(*) filter (is_purchase), count(distinct session_id) "
        "from raw.sessions"
    ) == [(12330, 1908, 12330)]
    assert uci.query("select count(*) from insights_staging.rejected_rows") == [(0,)]
    runs = uci.query(
        "select model_name, decision, test_rows, roc_auc, pr_auc, roc_auc_low < roc_auc "
        "and roc_auc < roc_auc_high from insights.model_runs "
        "where model_name like 'purchase_intent%' order by model_name"
    )
    assert [run[:2] for run in runs] == [(name, "trained_promoted") for name in SESSION_MODELS]
    after_session, in_session = runs
    # Floors for December, by models that saw January to October and chose on November.
    assert after_session[3] >= 0.89
    assert after_session[4] >= 0.70
    assert in_session[3] >= 0.72
    assert all(run[5] for run in runs)
    assert uci.query(
        "select count(*), count(distinct session_id) from insights.purchase_intent_scores"
    ) == [(2 * 12330, 12330)]


def test_loading_the_same_file_again_changes_nothing(uci: DbtProject, shared_data: Path) -> None:
    before = rows(uci, "insights.purchase_intent_scores", ["session_id", "model_name"])
    shown = build(uci, "--data", str(shared_data / UCI_FILE), env=TABLES_ONLY)
    assert "Already loaded" in shown
    assert uci.query("select count(*) from raw.sessions") == [(12330,)]
    assert rows(uci, "insights.purchase_intent_scores", ["session_id", "model_name"]) == before
    assert uci.query(
        "select distinct decision from insights.model_runs "
        "where decision_number = 2 and model_name like 'purchase_intent%'"
    ) == [("kept",)]
