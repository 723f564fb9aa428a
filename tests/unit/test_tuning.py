"""A search sees no test row, gives the same trials each time, and its best is a challenger once."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_insights.catalog import ModelSpec
from customer_insights.model import PARAMETERS
from customer_insights.recipe import TREES, Trees
from customer_insights.repeated_evaluation import Fold
from customer_insights.training import RUN_SCHEMA, train_task
from customer_insights.tuned_parameters import (
    DEFAULTS,
    SEARCH_SPACE,
    STUDY,
    Tuned,
    to_train_with,
)
from customer_insights.tuning import (
    RANDOM_TRIALS,
    TRIALS_SCHEMA,
    Study,
    TuningError,
    time_folds,
    tune_task,
)

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row

TRIALS = 4
# Other values than the project's: what a search may find.
FOUND = DEFAULTS | {"max_depth": 2, "learning_rate": 0.1}


def splits(shop: Shop, days: int = 60) -> pa.Table:
    """Visits with a split, whose labels are final a day later."""
    rows = shop.split(shop.visits(days=days))
    on = rows["session_on"].to_numpy().astype("datetime64[D]")
    return shop.with_column(rows, "matured_on", pa.array(on + np.timedelta64(1, "D")))


def tune(
    shop: Shop, rows: pa.Table, past: pa.Table | None = None, **changed: Any
) -> list[dict[str, Any]]:
    budget = {"tuning_model": "intent", "tuning_trials": TRIALS, "tuning_folds": 2}
    budget |= {name: changed.pop(name) for name in budget if name in changed}
    context = shop.run_context(**changed).read()
    for name, value in budget.items():
        context = context.append_column(name, pa.array([value]))
    trials = tune_task(
        "visits",
        keys=["session_id"],
        date_column="session_on",
        run_context=shop.relate(context),
        model_features=shop.model_features(shop.spec()),
        training_set=shop.relate(rows),
        past=None if past is None else shop.relate(past),
    )
    assert trials.schema == TRIALS_SCHEMA
    found: list[dict[str, Any]] = trials.to_pylist()
    return found


@pytest.fixture(scope="module")
def trials(shop: Shop) -> list[dict[str, Any]]:
    return tune(shop, splits(shop))


# --- folds ---


@given(
    seed=st.integers(0, 2**31 - 1),
    dates=st.integers(1, 60),
    window=st.integers(1, 40),
    count=st.integers(1, 5),
)
def test_a_fold_is_of_whole_dates_and_no_label_window_reaches_into_what_comes_after(
    seed: int, dates: int, window: int, count: int
) -> None:
    random = np.random.default_rng(seed)
    days = np.datetime64("2024-01-01") + random.integers(0, dates, 300)
    matured = days + np.timedelta64(window, "D")
    labels = random.random(300) < 0.4
    folds = list(time_folds(days, matured, labels, count, 5))
    assert len(folds) <= count
    newest = None
    for fold in folds:
        parts = (fold.train, fold.validation, fold.test)
        for part in parts:
            assert (np.diff(part) > 0).all(), "rows are in key order"
            assert 5 <= labels[part].sum() <= len(part) - 5
            # A date is in one part as a whole.
            assert len(part) == np.isin(days, days[part]).sum()
        assert matured[fold.train].max() <= days[fold.validation].min()
        assert matured[fold.validation].max() <= days[fold.test].min()
        assert newest is None or days[fold.test].max() < newest
        newest = days[fold.test].min()


def test_folds_expand_and_the_newest_rows_are_measured_first() -> None:
    days = np.repeat(np.datetime64("2024-01-01") + np.arange(20), 50)
    labels = np.tile([True, False], 500)
    folds = list(time_folds(days, days + np.timedelta64(1, "D"), labels, 3, 10))
    assert [(fold.name, len(fold.test)) for fold in folds] == [
        ("2024-01-19", 100),
        ("2024-01-17", 100),
        ("2024-01-15", 100),
    ]
    assert [len(fold.train) for fold in folds] == sorted(
        (len(fold.train) for fold in folds), reverse=True
    )


def test_one_date_gives_no_fold() -> None:
    days = np.full(50, np.datetime64("2024-01-15"))
    assert list(time_folds(days, days, np.arange(50) < 20, 3, 5)) == []


# --- the search ---


def test_the_first_trial_is_of_the_projects_own_parameters_and_the_best_is_as_good_or_better(
    trials: list[dict[str, Any]],
) -> None:
    assert [trial["trial_number"] for trial in trials] == list(range(TRIALS))
    assert json.loads(trials[0]["parameters"]) == DEFAULTS
    (best,) = [trial for trial in trials if trial["is_best"]]
    assert best["value"] == max(trial["value"] for trial in trials)
    assert len({trial["parameters"] for trial in trials}) == TRIALS
    for trial in trials:
        values = json.loads(trial["fold_values"])
        assert trial["state"] == "complete"
        assert trial["value"] == pytest.approx(np.mean(values))
        assert len(values) == len(json.loads(trial["fold_rounds"])) == 2


def test_what_is_tried_lies_in_the_search_space(trials: list[dict[str, Any]]) -> None:
    assert set(DEFAULTS) <= set(PARAMETERS)
    for trial in trials:
        values = json.loads(trial["parameters"])
        assert set(values) == {searched.name for searched in SEARCH_SPACE}
        for searched in SEARCH_SPACE:
            assert searched.low <= values[searched.name] <= searched.high


def test_the_same_rows_give_the_same_trials_whatever_their_order_and_the_threads(
    shop: Shop, trials: list[dict[str, Any]]
) -> None:
    rows = splits(shop)
    shuffled = rows.take(pa.array(np.random.default_rng(3).permutation(rows.num_rows)))
    assert tune(shop, shuffled, training_threads=1) == trials


def test_after_the_random_trials_the_search_goes_where_it_was_good_and_stops_what_is_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is trained: the value falls with the distance from a learning rate of 0.1."""

    def measured(study: Study, values: dict[str, Any], fold: Fold) -> tuple[float, int]:
        return -abs(float(np.log(values["learning_rate"] / 0.1))), 1

    monkeypatch.setattr(Study, "measure", measured)
    trials = tune(shop, splits(shop), tuning_trials=RANDOM_TRIALS + 30)
    values = [json.loads(trial["fold_values"])[0] for trial in trials]
    # The first is of the project's own parameters, so it is none of the random ones.
    random, guided = values[1:RANDOM_TRIALS], values[RANDOM_TRIALS:]
    assert np.mean(guided) > np.quantile(random, 0.75)
    assert {trial["state"] for trial in trials[:RANDOM_TRIALS]} == {"complete"}
    done = [trial["state"] == "complete" for trial in trials]
    assert not all(done)
    for number, trial in enumerate(trials):
        if not done[number]:
            assert values[number] < np.median(np.array(values[:number])[done[:number]])
            assert trial["value"] is None
            assert not trial["is_best"]


def test_another_seed_tries_something_else(shop: Shop, trials: list[dict[str, Any]]) -> None:
    other = tune(shop, splits(shop), random_seed=8, tuning_trials=2)
    assert other[1]["parameters"] != trials[1]["parameters"]


def test_labels_and_features_of_test_rows_change_no_trial(
    shop: Shop, trials: list[dict[str, Any]]
) -> None:
    rows = splits(shop)
    is_test = np.array(rows["split"].to_pylist()) == "test"
    labels = rows["is_purchase"].to_numpy().astype(np.bool_)
    changed = shop.with_column(rows, "is_purchase", np.where(is_test, ~labels, labels))
    pages = rows["pages"].to_numpy()
    changed = shop.with_column(changed, "pages", np.where(is_test, pages * 100, pages))
    found = tune(shop, changed)
    for trial, before in zip(found, trials, strict=True):
        assert trial["training_set_hash"] != before["training_set_hash"]
        before_without, without = (
            {name: value for name, value in row.items() if name != "training_set_hash"}
            for row in (before, trial)
        )
        assert without == before_without


def test_no_fold_holds_a_day_of_the_test_rows(shop: Shop, trials: list[dict[str, Any]]) -> None:
    rows = splits(shop)
    is_test = pa.array(np.array(rows["split"].to_pylist()) == "test")
    first = str(min(rows.filter(is_test)["session_on"].to_pylist()))
    for fold in json.loads(trials[0]["folds"]):
        assert fold["train_to_on"] < fold["validation_from_on"]
        assert fold["validation_to_on"] < fold["held_out_from_on"]
        assert fold["held_out_to_on"] < first


def test_the_same_question_is_not_searched_twice_and_another_one_is(
    shop: Shop, trials: list[dict[str, Any]]
) -> None:
    past = pa.Table.from_pylist(trials, schema=TRIALS_SCHEMA)
    assert tune(shop, splits(shop), past) == []
    more = tune(shop, splits(shop), past, tuning_trials=2)
    assert {trial["study_number"] for trial in more} == {2}
    assert more[0]["study_id"] != trials[0]["study_id"]


def test_a_model_of_another_task_and_no_model_are_not_searched(shop: Shop) -> None:
    assert tune(shop, splits(shop), tuning_model="churn") == []


def test_too_few_rows_and_too_few_dates_are_said_in_a_sentence(shop: Shop) -> None:
    rows = splits(shop)
    with pytest.raises(
        TuningError, match=r"intent cannot be tuned: .* min_train_rows asks for 9000"
    ):
        tune(shop, rows, min_train_rows=9000)
    with pytest.raises(TuningError, match=r"of 45 dates, give no fold with 300 labels"):
        tune(shop, rows, min_class_rows=300)


def test_without_optuna_a_sentence_says_what_to_do(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TuningError, match="`make tune` installs it"):
        tune(shop, splits(shop))


# --- the challenger ---


def train(
    shop: Shop,
    rows: pa.Table,
    past: list[Row],
    best: dict[str, Any] | None = None,
    study: str = "abc",
    *,
    spec: ModelSpec | None = None,
    **changed: Any,
) -> Row:
    """One build after a search that found `best`, if any."""
    found = []
    if best is not None:
        shared = {"model_name": "intent", "study_number": 1, "study_id": study}
        found = [
            shared | {"is_best": False, "parameters": json.dumps(DEFAULTS), "trial_number": 0},
            shared | {"is_best": True, "parameters": json.dumps(best), "trial_number": 1},
        ]
    decisions = train_task(
        "visits",
        keys=["session_id"],
        date_column="session_on",
        run_context=shop.run_context(**changed),
        model_features=shop.model_features(spec or shop.spec()),
        training_set=shop.relate(shop.split(rows)),
        past=shop.relate(pa.Table.from_pylist(past, schema=RUN_SCHEMA)) if past else None,
        tuning_trials=shop.relate(pa.Table.from_pylist(found, schema=TRIALS_SCHEMA)),
    )
    (decision,) = decisions.to_pylist()
    return dict(decision)


def fired(decision: Row) -> list[str]:
    return [trigger["name"] for trigger in json.loads(decision["triggers"]) if trigger["is_fired"]]


def searched(decision: Row) -> dict[str, Any]:
    parameters = json.loads(decision["parameters"])
    return {name: parameters[name] for name in DEFAULTS}


@pytest.fixture(scope="module")
def first(shop: Shop) -> Row:
    """A champion with the project's own parameters."""
    decision = train(shop, shop.visits(), [])
    assert decision["decision"] == "trained_promoted"
    return decision


def test_where_nothing_was_searched_a_decision_is_what_it_was(shop: Shop, first: Row) -> None:
    (without,) = shop.train(shop.visits()).to_pylist()
    assert dict(without) == first
    assert STUDY not in json.loads(first["parameters"])
    assert Trees().parameters(shop.settings()) == TREES.parameters(shop.settings())


def test_found_parameters_are_tried_at_the_next_build_and_named_in_its_row(
    shop: Shop, first: Row
) -> None:
    decision = train(shop, shop.visits(), [first], FOUND)
    assert fired(decision) == ["tuned_parameters"]
    assert decision["decision"] in ("trained_promoted", "trained_rejected")
    assert decision["lead_over_champion"] is not None
    assert searched(decision) == FOUND
    assert json.loads(decision["parameters"])[STUDY] == "abc"
    assert "study abc" in decision["reason"]


def test_a_challenger_that_lost_is_not_tried_again_on_these_rows_or_on_newer_ones(
    shop: Shop, first: Row
) -> None:
    # Trees of one split that hardly learn: worse than any champion.
    poor = DEFAULTS | {"max_depth": 1, "min_child_weight": 1000.0}
    lost = train(shop, shop.visits(), [first], poor)
    assert lost["decision"] == "trained_rejected"
    again = train(shop, shop.visits(), [first, lost], poor)
    newer = train(shop, shop.visits(days=62), [first, lost, again], poor)
    for kept in (again, newer):
        assert kept["decision"] == "kept"
        assert fired(kept) == []
        assert kept["model_version"] == first["model_version"]
        assert searched(kept) == DEFAULTS
        assert STUDY not in json.loads(kept["parameters"])
    # Another search may find the same on other rows: that is another question.
    asked = train(shop, shop.visits(days=62), [first, lost, again, newer], poor, "def")
    assert fired(asked) == ["tuned_parameters"]
    assert asked["decision"] == "trained_rejected"


def test_a_challenger_that_won_is_what_later_training_goes_on_with(shop: Shop) -> None:
    won = train(shop, shop.visits(), [], FOUND)
    assert won["decision"] == "trained_promoted"
    assert fired(won) == ["no_champion"]
    assert searched(won) == FOUND
    kept = train(shop, shop.visits(), [won], FOUND)
    assert kept["decision"] == "kept"
    aged = train(shop, shop.visits(days=75), [won, kept], FOUND, retrain_max_age_days=10)
    assert "age" in fired(aged)
    assert "tuned_parameters" not in fired(aged)
    assert searched(aged) == FOUND


def test_a_search_that_finds_nothing_better_changes_nothing(shop: Shop, first: Row) -> None:
    decision = train(shop, shop.visits(), [first], DEFAULTS)
    assert decision["decision"] == "kept"
    assert fired(decision) == []
    assert decision["input_hash"] == first["input_hash"]
    assert decision["parameters"] == first["parameters"]


def test_a_tuned_champion_goes_when_a_search_prefers_the_projects_own_parameters() -> None:
    served = {
        "parameters": json.dumps(PARAMETERS | Tuned("abc", FOUND).parameters()),
        "artifact": b"trees",
    }
    assert to_train_with(None, [served], served) == Tuned("abc", FOUND)
    assert to_train_with(Tuned("abc", FOUND), [served], served) == Tuned("abc", FOUND)
    assert to_train_with(Tuned("def", DEFAULTS), [served], served) == Tuned("def", DEFAULTS)


def test_optuna_keeps_nothing_alive_of_whoever_imports_it() -> None:
    """It keeps frames of its first import; a connection among them would keep the database shut."""
    code = (
        "import weakref; from customer_insights import tuning\n"
        "class Connection: pass\n"
        "def search():\n"
        "    connection = Connection(); tuning.tuning_versions(); return weakref.ref(connection)\n"
        "assert search()() is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
