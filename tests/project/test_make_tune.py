"""A search leaves its trials in a table, and the next build tries what it found, once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DbtProject, create_dbt_project
from helpers import BUILD, SETTINGS, DbtWorker, change, make_build, put_raw, rows_of, shop

from customer_insights.sample import ShopConfig

SHOP = ShopConfig(scale=0.2)
MODEL = "purchase_intent_after_session"
TRAINED = "+purchase_intent_trained"
TRIALS = f"select * from insights.tuning_trials where model_name = '{MODEL}' order by trial_number"
DECISIONS = (
    "select decision, parameters, input_hash from insights_internal.purchase_intent_trained "
    f"where model_name = '{MODEL}' order by decision_number"
)


@pytest.fixture(scope="module")
def tuner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWorker]:
    """Runs dbt with the search switched on, which decides which models there are."""
    worker = DbtWorker(
        tmp_path_factory.mktemp("tuner"), TUNING_MODEL=MODEL, TUNING_TRIALS="3", TUNING_FOLDS="2"
    )
    yield worker
    worker.close()


@pytest.mark.long
def test_a_search_is_a_table_and_what_it_found_is_tried_at_the_next_build(
    dbt: DbtWorker, tuner: DbtWorker, tmp_path: Path
) -> None:
    project: DbtProject = create_dbt_project(tmp_path)
    put_raw(project, shop(SHOP))
    dbt.run(project, *BUILD, "--select", TRAINED)
    assert rows_of(project, TRIALS) == []
    tune = (*BUILD, "--select", "+purchase_intent_tuned", "tuning_trials")
    tuner.run(project, *tune)
    trials = rows_of(project, TRIALS)
    assert [trial["trial_number"] for trial in trials] == [0, 1, 2]
    (best,) = [trial for trial in trials if trial["is_best"]]
    assert best["value"] == max(trial["value"] for trial in trials)
    tuner.run(project, *tune)
    assert rows_of(project, TRIALS) == trials
    # Whatever was best: trial 0 has the project's own parameters, and with these there is nothing
    # to try (tests/unit/test_tuning.py).
    searched = "insights_internal.purchase_intent_tuned"
    change(project, f"update {searched} set is_best = (trial_number = 2)")
    dbt.run(project, *BUILD, "--select", TRAINED)
    first, second = rows_of(project, DECISIONS)
    found = json.loads(second["parameters"])
    assert found["tuning_study"] == best["study_id"]
    assert json.loads(trials[2]["parameters"]).items() <= found.items()
    assert second["input_hash"] != first["input_hash"]
    assert second["decision"] in ("trained_promoted", "trained_rejected")


@pytest.mark.long
@pytest.mark.parametrize("model", ["churn", "product_recommendations"])
def test_the_command_line_searches_for_a_model_and_shows_its_trials(
    dbt_project: DbtProject, model: str
) -> None:
    put_raw(dbt_project, shop(SHOP))
    settings = SETTINGS | {"TEXT_ENGINE": "none", "TUNING_TRIALS": "2", "TUNING_FOLDS": "2"}
    done = make_build(dbt_project, "--model", model, env=settings, command="tune")
    assert done.returncode == 0, done.stdout + done.stderr
    trials = rows_of(dbt_project, "select * from insights.tuning_trials order by trial_number")
    assert [(trial["model_name"], trial["trial_number"]) for trial in trials] == [
        (model, 0),
        (model, 1),
    ]
    (best,) = [trial for trial in trials if trial["is_best"]]
    assert best["value"] == max(trial["value"] for trial in trials) > 0
    assert f"Study {best['study_id']}: 2 trials of {model}\n" in done.stdout
    assert f"{trials[0]['primary_metric']} {trials[0]['value']:.4f} on the folds" in done.stdout
