"""What a build decides, over whole histories of builds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from customer_insights.catalog import ModelSpec
from customer_insights.engine.on_duckdb import DuckDBRelation
from customer_insights.errors import ArtifactError
from customer_insights.metrics import RankedScores
from customer_insights.serving import serving_models
from customer_insights.training import RUN_SCHEMA, TrainingSet, decide, load_model, train_task

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row

METRICS = (
    "roc_auc",
    "pr_auc",
    "f1",
    "brier",
    "precision",
    "recall",
    "accuracy",
    "mcc",
    "log_loss",
)


@pytest.fixture(scope="module")
def visits(shop: Shop) -> pa.Table:
    return shop.visits()


@pytest.fixture(scope="module")
def refused(shop: Shop, visits: pa.Table) -> Row:
    """A first decision on features that tell nothing."""
    return shop.decide(visits, spec=shop.spec("is_weekend", "noise"))


def fired(decision: Row) -> list[str]:
    return [trigger["name"] for trigger in json.loads(decision["triggers"]) if trigger["is_fired"]]


def is_sentence(text: str) -> bool:
    return bool(text) and "\n" not in text and "None" not in text


# --- the first build ---


def test_the_first_build_trains_and_what_beats_its_baselines_serves(promoted: Row) -> None:
    assert promoted["decision"] == "trained_promoted"
    assert promoted["is_champion"] is True
    assert fired(promoted) == ["no_champion"]
    assert promoted["decision_number"] == 1
    assert promoted["reason"].startswith("trained because no model serves yet; promoted:")
    assert is_sentence(promoted["reason"])


def test_a_trained_row_says_on_what_it_was_trained_and_how_good_it_is(
    promoted: Row, visits: pa.Table
) -> None:
    start = date(2024, 1, 1)
    windows = {
        "train": (start, start + timedelta(days=29), 30 * 14),
        "validation": (start + timedelta(days=30), start + timedelta(days=44), 15 * 14),
        "test": (start + timedelta(days=45), start + timedelta(days=59), 15 * 14),
    }
    for split, (first, last, rows) in windows.items():
        assert promoted[f"{split}_from_on"] == first
        assert promoted[f"{split}_to_on"] == last
        assert promoted[f"{split}_rows"] == rows
    assert sum(promoted[f"{split}_positives"] for split in windows) == sum(
        visits["is_purchase"].to_pylist()
    )
    for metric in METRICS:
        assert isinstance(promoted[metric], float), metric
    for metric in ("roc_auc", "pr_auc", "f1", "brier"):
        assert promoted[f"{metric}_low"] < promoted[metric] < promoted[f"{metric}_high"]
    assert promoted["constant_pr_auc"] == pytest.approx(
        promoted["test_positives"] / promoted["test_rows"]
    )
    assert promoted["best_single_feature"] in ("pages", "visitor")
    assert promoted["roc_auc"] > promoted["best_single_feature_roc_auc"]
    assert promoted["lead_over_constant_low"] > 0
    assert promoted["lead_over_best_single_feature_low"] > 0
    assert promoted["lead_over_champion"] is None
    assert json.loads(promoted["feature_names"]) == ["is_weekend", "month", "pages", "visitor"]
    assert json.loads(promoted["library_versions"])["xgboost"]


def test_the_figures_of_a_row_are_those_of_its_stored_model_on_the_test_rows(
    shop: Shop, promoted: Row, visits: pa.Table
) -> None:
    _, _, test = shop.parts(visits)
    model = load_model(promoted)
    called = model.score(test.rows, 1) >= promoted["threshold"]
    assert promoted["threshold"] == model.threshold
    assert promoted["accuracy"] == pytest.approx(float(np.mean(called == test.labels)))
    assert promoted["boosting_rounds"] == model.rounds
    assert promoted["model_version"] == f"2024-02-29-{promoted['artifact_sha256'][:8]}"


def test_features_that_tell_nothing_are_trained_on_but_never_serve(refused: Row) -> None:
    assert refused["decision"] == "trained_rejected"
    assert refused["is_champion"] is False
    assert "constant" in refused["reason"]
    assert refused["artifact"] is not None
    assert refused["roc_auc"] is not None


def test_a_model_that_gives_everybody_the_same_score_never_serves(
    shop: Shop, visits: pa.Table
) -> None:
    rows = shop.with_column(visits, "same", [1.0] * visits.num_rows)
    for metric in ("roc_auc", "pr_auc", "f1"):
        decision = shop.decide(rows, spec=shop.spec("same", primary_metric=metric))
        assert decision["decision"] == "trained_rejected"
        assert decision["is_champion"] is False
        assert decision["lead_over_constant"] == pytest.approx(0.0)


def test_a_model_of_one_feature_does_not_serve_where_the_feature_alone_is_as_good(
    shop: Shop, visits: pa.Table
) -> None:
    decision = shop.decide(visits, spec=shop.spec("pages", "noise"))
    assert decision["decision"] == "trained_rejected"
    assert "best single feature" in decision["reason"]
    assert decision["lead_over_constant_low"] > 0


def leaking(shop: Shop, visits: pa.Table) -> pa.Table:
    labels = visits["is_purchase"].to_numpy().astype(np.float64)
    noise = np.random.default_rng(1).normal(scale=0.4, size=len(labels))
    return shop.with_column(visits, "paid", labels + noise)


def test_a_feature_that_gives_the_label_away_keeps_a_model_from_serving(
    shop: Shop, visits: pa.Table
) -> None:
    decision = shop.decide(leaking(shop, visits), spec=shop.spec("pages", "paid", "visitor"))
    assert decision["decision"] == "trained_rejected"
    assert json.loads(decision["leaking_features"]) == ["paid"]
    assert "feature paid alone" in decision["reason"]
    assert "leak_reason" in decision["reason"]


def test_with_a_reason_in_the_catalog_the_same_feature_may_be_used(
    shop: Shop, visits: pa.Table
) -> None:
    decision = shop.decide(
        leaking(shop, visits), spec=shop.spec("pages", "paid", "visitor", may_leak=("paid",))
    )
    assert decision["decision"] == "trained_promoted", decision["reason"]
    assert json.loads(decision["leaking_features"]) == []


def test_a_reason_given_after_the_refusal_is_heard_at_the_next_build(
    shop: Shop, visits: pa.Table
) -> None:
    """The refusal asks for a reason: giving one must be enough, without new data."""
    rows = leaking(shop, visits)
    names = ("pages", "paid", "visitor")
    refusal = shop.decide(rows, spec=shop.spec(*names))
    answered = shop.decide(rows, [refusal], spec=shop.spec(*names, may_leak=("paid",)))
    assert answered["decision"] == "trained_promoted", answered["reason"]


def test_a_label_that_is_not_known_yet_is_not_a_negative_one(shop: Shop, visits: pa.Table) -> None:
    labels = visits["is_purchase"].to_pylist()
    unknown = [None if place % 5 == 0 else label for place, label in enumerate(labels)]
    known = visits.filter(pa.array([label is not None for label in unknown]))
    with_unknown = shop.decide(shop.with_column(visits, "is_purchase", unknown))
    without = shop.decide(known)
    assert with_unknown["train_rows"] == without["train_rows"]
    assert with_unknown["artifact_sha256"] == without["artifact_sha256"]
    assert with_unknown["roc_auc"] == without["roc_auc"]


# --- too little to say anything ---


def assert_nothing_claimed(decision: Row) -> None:
    assert decision["decision"] == "not_enough_labels"
    assert is_sentence(decision["reason"])
    assert decision["artifact"] is None
    for metric in METRICS:
        assert decision[metric] is None, metric


def test_too_few_rows_to_train_on_are_said_in_a_sentence_and_give_no_metric(
    shop: Shop, visits: pa.Table
) -> None:
    decision = shop.decide(visits, min_train_rows=421)
    assert_nothing_claimed(decision)
    # Triggers are looked at and told all the same.
    assert fired(decision) == ["no_champion"]
    assert decision["is_champion"] is False
    assert decision["model_version"] is None
    assert "420 mature rows" in decision["reason"]
    assert "min_train_rows asks for 421" in decision["reason"]
    assert decision["train_rows"] == 420


def test_as_many_rows_as_asked_for_are_enough(shop: Shop, visits: pa.Table) -> None:
    assert shop.decide(visits, min_train_rows=420)["decision"] == "trained_promoted"


@pytest.mark.parametrize("label", [True, False])
def test_one_class_only_gives_no_model_and_no_metric(
    shop: Shop, visits: pa.Table, label: bool
) -> None:
    decision = shop.decide(shop.with_column(visits, "is_purchase", [label] * visits.num_rows))
    assert_nothing_claimed(decision)
    assert "0 negative" in decision["reason"] if label else "0 positive" in decision["reason"]


def test_too_few_of_a_class_in_any_split_are_too_few(shop: Shop, visits: pa.Table) -> None:
    """Nobody buys in the newest days: a model could be fitted, but not judged."""
    labels = visits["is_purchase"].to_pylist()
    rows = shop.with_column(visits, "is_purchase", labels[:-210] + [False] * 210)
    decision = shop.decide(rows)
    assert_nothing_claimed(decision)
    assert "the test rows have 0 positive" in decision["reason"]


def test_an_empty_training_set_is_a_decision_too(shop: Shop, visits: pa.Table) -> None:
    decision = shop.decide(visits.slice(0, 0), min_train_rows=2, min_class_rows=1)
    assert_nothing_claimed(decision)
    assert decision["train_rows"] == 0
    assert decision["train_from_on"] is None
    assert decision["label_definition_version"] is None


def test_a_champion_serves_on_where_new_labels_are_too_few(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    decision = shop.decide(visits, [promoted], min_train_rows=10_000)
    assert_nothing_claimed(decision)
    assert decision["is_champion"] is True
    assert decision["model_version"] == promoted["model_version"]


# --- later builds ---


def test_a_second_build_on_the_same_data_keeps_the_champion_and_trains_nothing(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    kept = shop.decide(visits, [promoted])
    assert kept["decision"] == "kept"
    assert kept["artifact"] is None
    assert kept["artifact_sha256"] is None
    assert kept["is_champion"] is True
    assert kept["model_version"] == promoted["model_version"]
    assert kept["threshold"] == promoted["threshold"]
    assert kept["decision_number"] == 2
    assert fired(kept) == []
    # No row is new to the champion, so nothing is measured again.
    assert kept["test_rows"] == 0
    assert all(kept[metric] is None for metric in METRICS)
    assert is_sentence(kept["reason"])


def test_a_refused_model_is_not_trained_again_on_the_same_data(
    shop: Shop, visits: pa.Table, refused: Row
) -> None:
    again = shop.decide(visits, [refused], spec=shop.spec("is_weekend", "noise"))
    assert again["decision"] == "kept"
    assert again["artifact"] is None
    assert again["is_champion"] is False
    assert again["model_version"] is None
    assert "no_champion was answered" in again["reason"]


def test_a_refused_model_is_tried_again_when_data_or_parameters_are_new(
    shop: Shop, visits: pa.Table, refused: Row
) -> None:
    spec = shop.spec("is_weekend", "noise")
    newer = shop.decide(shop.visits(days=61), [refused], spec=spec)
    assert newer["decision"].startswith("trained")
    assert newer["training_set_hash"] != refused["training_set_hash"]
    other = shop.decide(visits, [refused], spec=spec, random_seed=8)
    assert other["decision"].startswith("trained")
    assert other["parameters"] != refused["parameters"]


def test_decisions_are_numbered_on_from_the_largest(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    past = [promoted]
    for number in range(2, 5):
        past.append(shop.decide(visits, past))
        assert past[-1]["decision_number"] == number
        assert past[-1]["model_run_id"] == f"intent-{number}"


def test_a_few_new_rows_are_measured_and_the_champion_is_kept(shop: Shop, promoted: Row) -> None:
    kept = shop.decide(shop.visits(days=66), [promoted])
    assert kept["decision"] == "kept"
    assert kept["test_from_on"] == promoted["test_to_on"] + timedelta(days=1)
    assert kept["test_rows"] == 6 * 14
    assert kept["train_to_on"] == promoted["train_to_on"]
    assert kept["roc_auc_low"] < kept["roc_auc"] < kept["roc_auc_high"]
    assert "84 new rows" in kept["reason"]
    assert kept["artifact"] is None


def test_fewer_new_rows_than_the_minimum_give_no_metric(shop: Shop, promoted: Row) -> None:
    kept = shop.decide(shop.visits(days=61), [promoted])
    assert kept["decision"] == "kept"
    assert kept["test_rows"] == 14
    assert kept["roc_auc"] is None


def test_a_changed_feature_list_is_trained_on(shop: Shop, visits: pa.Table, promoted: Row) -> None:
    spec = shop.spec("is_weekend", "month", "noise", "pages", "visitor")
    decision = shop.decide(visits, [promoted], spec=spec)
    assert fired(decision) == ["changed_features"]
    assert "noise" in decision["reason"]
    assert decision["artifact"] is not None


def test_a_champion_of_another_label_is_replaced_and_not_measured_on_the_new_one(
    shop: Shop, visits: pa.Table
) -> None:
    spec = replace(shop.spec(), label_settings=(("train_as_of_dates", 2),))
    first = shop.train(visits, specs=(spec,))
    same = shop.train(visits, first, specs=(spec,)).to_pylist()
    assert [row["decision"] for row in same] == ["kept"]
    (row,) = shop.train(visits, first, specs=(spec,), train_as_of_dates=9).to_pylist()
    assert row["decision"] == "trained_promoted"
    assert "train_as_of_dates went from 2 to 9" in row["reason"]
    assert row["lead_over_champion"] is None


def test_a_champion_stays_when_the_challenger_is_not_better_beyond_noise(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    spec = shop.spec("is_weekend", "month", "noise", "pages", "visitor")
    decision = shop.decide(visits, [promoted], spec=spec)
    assert decision["decision"] == "trained_rejected"
    assert "not above the champion" in decision["reason"]
    assert decision["lead_over_champion"] is not None
    assert decision["is_champion"] is False
    assert decision["model_version"] != promoted["model_version"]
    # The refused row names the refused version; the champion is still the one promoted before.
    after = shop.decide(visits, [promoted, decision], spec=spec)
    assert after["decision"] == "kept"
    assert after["is_champion"] is True
    assert after["model_version"] == promoted["model_version"]


def test_a_champion_that_uses_what_is_no_longer_allowed_is_replaced_even_by_a_worse_model(
    shop: Shop, visits: pa.Table
) -> None:
    rows = leaking(shop, visits)
    names = ("pages", "paid", "visitor")
    first = shop.decide(rows, spec=shop.spec(*names, may_leak=("paid",)))
    assert first["is_champion"] is True
    second = shop.decide(rows, [first], spec=shop.spec("pages", "visitor"))
    assert second["decision"] == "trained_promoted", second["reason"]
    assert second["roc_auc"] < first["roc_auc"]
    assert second["lead_over_champion"] is None


def test_a_champion_whose_feature_is_gone_from_the_table_is_replaced(
    shop: Shop, visits: pa.Table
) -> None:
    rows = leaking(shop, visits)
    first = shop.decide(rows, spec=shop.spec("pages", "paid", "visitor", may_leak=("paid",)))
    newer = shop.visits(days=70)
    second = shop.decide(newer, [first], spec=shop.spec("pages", "visitor"))
    assert second["decision"] == "trained_promoted", second["reason"]


def test_a_feature_list_that_was_changed_and_changed_back_is_served_by_its_own_model(
    shop: Shop, visits: pa.Table
) -> None:
    rows = leaking(shop, visits)
    with_paid = shop.spec("pages", "paid", "visitor", may_leak=("paid",))
    without = shop.spec("pages", "visitor")
    past: list[Row] = []
    for spec in (without, with_paid, without):
        past.append(shop.decide(rows, past, spec=spec))
        assert past[-1]["is_champion"] is True, past[-1]["reason"]
        (served,) = serving_models(shop.log(*past))
        assert served.model.encoder.feature_names == list(spec.feature_names)


def test_age_makes_a_build_train_when_the_champion_has_seen_no_data_for_so_long(
    shop: Shop, promoted: Row
) -> None:
    young = shop.decide(shop.visits(days=79), [promoted], retrain_max_age_days=20)
    old = shop.decide(shop.visits(days=80), [promoted], retrain_max_age_days=20)
    assert young["decision"] == "kept"
    assert fired(old) == ["age"]
    assert old["decision"].startswith("trained")


@pytest.fixture(scope="module")
def turned(shop: Shop, visits: pa.Table) -> pa.Table:
    """The signal turns round after the first sixty days."""
    return pa.concat_tables([visits, shop.visits(days=180, signal=-1.0).slice(visits.num_rows)])


@pytest.fixture(scope="module")
def turned_window(turned: pa.Table) -> pa.Table:
    """What a window of the newest days leaves of it."""
    return turned.slice(60 * 14)


def test_a_champion_whose_metric_fell_is_replaced_by_a_model_that_is_better_on_the_same_rows(
    shop: Shop, turned_window: pa.Table, promoted: Row
) -> None:
    decision = shop.decide(turned_window, [promoted], retrain_max_age_days=10_000)
    assert fired(decision) == ["fallen_metric", "miscalibrated"]
    assert decision["decision"] == "trained_promoted", decision["reason"]
    assert decision["lead_over_champion_low"] > 0
    assert decision["model_version"] != promoted["model_version"]


def test_the_newest_champion_is_the_one_that_later_builds_keep(
    shop: Shop, turned_window: pa.Table, promoted: Row
) -> None:
    newer = shop.decide(turned_window, [promoted])
    assert newer["is_champion"] is True
    kept = shop.decide(turned_window, [promoted, newer])
    assert kept["decision"] == "kept"
    assert kept["model_version"] == newer["model_version"]
    assert kept["threshold"] == newer["threshold"]
    (served,) = serving_models(shop.log(promoted, newer, kept))
    assert served.model_version == newer["model_version"]


def test_a_champion_whose_metric_fell_stays_where_nothing_better_can_be_learned(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    noise_only = pa.concat_tables([visits, shop.visits(120, signal=0.0).slice(visits.num_rows)])
    decision = shop.decide(noise_only, [promoted])
    assert "fallen_metric" in fired(decision)
    assert decision["decision"] == "trained_rejected"
    assert decision["is_champion"] is False
    after = shop.decide(noise_only, [promoted, decision])
    assert after["decision"] == "kept"
    assert after["model_version"] == promoted["model_version"]
    assert "was answered" in after["reason"]
    assert after["artifact"] is None


@pytest.fixture(scope="module")
def rarer(shop: Shop, visits: pa.Table) -> pa.Table:
    """After the first sixty days fewer buy, of those with most pages as of the others."""
    later = shop.visits(days=160).slice(visits.num_rows)
    pages, is_new = later["pages"].to_numpy(), np.array(later["visitor"].to_pylist()) == "new"
    log_odds = 0.3 * (pages - 8.0) + np.where(is_new, 2.0, -2.0) - 2.0
    labels = np.random.default_rng(5).random(len(pages)) < 1 / (1 + np.exp(-log_odds))
    return pa.concat_tables([visits, shop.with_column(later, "is_purchase", labels)])


def test_scores_that_are_off_ask_for_one_training_not_for_one_a_day(
    shop: Shop, rarer: pa.Table, promoted: Row
) -> None:
    def until(day: int, past: list[Row], **changed: Any) -> Row:
        return shop.decide(rarer.slice(0, day * 14), past, **changed)

    past = [promoted, until(90, [promoted])]
    assert fired(past[-1]) == ["miscalibrated"]
    assert past[-1]["decision"] == "trained_rejected", past[-1]["reason"]
    for day in (91, 92, 120):
        past.append(until(day, past))
        assert fired(past[-1]) == ["miscalibrated"]
        assert past[-1]["decision"] == "kept"
        assert past[-1]["model_version"] == promoted["model_version"]
        assert "miscalibrated was answered by training before" in past[-1]["reason"]
    # Another question is heard: another gate, or a champion that has become old.
    assert until(121, past, promotion_margin=0.001)["artifact"] is not None
    old = until(121, past, retrain_max_age_days=31)
    assert fired(old) == ["age", "miscalibrated"]
    assert old["artifact"] is not None
    assert "observed" not in old["reason"]


def moved(visits: pa.Table, promoted: Row, shop: Shop) -> pa.Table:
    """Visits whose newest days all lie where the champion erred most on its test rows."""
    bins = [
        each
        for each in json.loads(promoted["profile"])
        if each["column_name"] == "pages" and each["upper_edge"] and each["test_rows"] > 5
    ]
    worst = max(bins, key=lambda each: each["test_squared_error"] / each["test_rows"])
    pages = visits["pages"].to_numpy().copy()
    pages[60 * 14 :] = worst["upper_edge"]
    return shop.with_column(visits, "pages", pages)


def test_drift_that_costs_makes_a_build_train_and_is_answered_once(
    shop: Shop, promoted: Row
) -> None:
    rows = moved(shop.visits(days=66), promoted, shop)
    # Only this trigger: what drift costs is asked whether or not outcomes tell the same.
    calm: dict[str, Any] = {
        "retrain_metric_margin": 1.0,
        "retrain_calibration_margin": 100.0,
        "drift_cost_margin": 0.005,
    }
    decision = shop.decide(rows, [promoted], **calm)
    assert fired(decision) == ["costly_drift"]
    assert decision["artifact"] is not None
    assert "pages costs most" in decision["reason"]
    after = shop.decide(
        rows, [promoted, decision | {"decision": "trained_rejected", "is_champion": False}], **calm
    )
    assert after["decision"] == "kept"
    assert fired(after) == ["costly_drift"]
    assert "costly_drift was answered" in after["reason"]
    assert after["artifact"] is None


def test_a_champion_without_a_profile_and_one_with_few_new_rows_are_not_held_against_it(
    shop: Shop, promoted: Row
) -> None:
    rows = moved(shop.visits(days=66), promoted, shop)
    asked: dict[str, Any] = {"retrain_metric_margin": 1.0, "drift_cost_margin": 0.0}
    for past, changed in (
        (promoted | {"profile": None}, asked),
        (promoted, asked | {"drift_min_rows": 6 * 14 + 1}),
    ):
        triggers = json.loads(shop.decide(rows, [past], **changed)["triggers"])
        (found,) = [each for each in triggers if each["name"] == "costly_drift"]
        assert found["is_fired"] is False
        assert found["value"] is None


def test_rows_of_one_visitor_are_no_evidence_of_their_own(shop: Shop, promoted: Row) -> None:
    rows = moved(shop.visits(days=66), promoted, shop)
    # As often each, in what was learned from as in what came later.
    visitors = [f"v{number % 12:02}" for number in range(rows.num_rows)]
    rows = shop.with_column(rows, "visitor_id", visitors)

    def looked_at(drift_min_rows: int, *alike: str) -> tuple[int, float | None]:
        """Effective rows that were learned from, and what drift costs."""
        decision = shop.decide(rows, [promoted], alike=alike, drift_min_rows=drift_min_rows)
        triggers = json.loads(decision["triggers"])
        (found,) = [each for each in triggers if each["name"] == "costly_drift"]
        return decision["train_effective_rows"], found["value"]

    (each, alone), (visitors_left, alike) = looked_at(20), looked_at(12, "visitor_id")
    assert (each, visitors_left) == (36 * 14, 12)
    assert alone is not None
    assert alike is not None
    # Fewer rows are less sure of it; of fewer than asked for nothing is said.
    assert alike < alone
    _, of_too_few = looked_at(13, "visitor_id")
    assert of_too_few is None


def test_copies_make_no_decision_surer(shop: Shop) -> None:
    visits = shop.visits(days=80, per_day=8)
    copies = 4
    places = np.repeat(np.arange(visits.num_rows), copies)
    rows = shop.with_column(
        visits.take(pa.array(places)), "session_id", [f"s{row:05}" for row in range(len(places))]
    )
    rows = shop.with_column(rows, "visitor_id", [f"v{place}" for place in places])
    earlier = rows.slice(0, 55 * 8 * copies)

    def widths(*alike: str) -> list[float]:
        """Of the intervals of a decision, of one to keep and of one about a challenger."""
        first = shop.decide(earlier, alike=alike)
        kept = shop.decide(rows, [first], alike=alike)
        challenged = shop.decide(rows, [first], alike=alike, retrain_max_age_days=1)
        assert (kept["decision"], challenged["artifact"] is None) == ("kept", False)
        return [
            decision[f"{name}_high"] - decision[f"{name}_low"]
            for decision, name in (
                (first, "roc_auc"),
                (first, "lead_over_best_single_feature"),
                (kept, "roc_auc"),
                (challenged, "lead_over_champion"),
            )
        ]

    for alone, together in zip(widths(), widths("visitor_id"), strict=True):
        assert together / alone == pytest.approx(copies**0.5, rel=0.25)


def test_a_low_f1_makes_a_build_train_where_a_threshold_is_set(shop: Shop, promoted: Row) -> None:
    rows = shop.visits(days=70)
    assert shop.decide(rows, [promoted])["decision"] == "kept"
    decision = shop.decide(rows, [promoted], retrain_f1_threshold=0.999)
    assert fired(decision) == ["low_f1"]
    assert decision["artifact"] is not None


def test_the_promotion_margin_keeps_a_challenger_from_serving_that_is_only_a_little_better(
    shop: Shop, turned_window: pa.Table, promoted: Row
) -> None:
    lead = shop.decide(turned_window, [promoted])["lead_over_champion"]
    refused_by_margin = shop.decide(turned_window, [promoted], promotion_margin=lead + 0.001)
    assert refused_by_margin["decision"] == "trained_rejected"
    allowed = shop.decide(turned_window, [promoted], promotion_margin=lead - 0.001)
    assert allowed["decision"] == "trained_promoted"


def one_feature_decides(shop: Shop, visits: pa.Table, seed: int, of_visitor: float) -> pa.Table:
    """After sixty days few pages tell of a purchase, and of the visitor hardly anything."""
    later = shop.visits(days=180).slice(visits.num_rows)
    pages, is_new = later["pages"].to_numpy(), np.array(later["visitor"].to_pylist()) == "new"
    log_odds = -0.3 * (pages - 8.0) - of_visitor * np.where(is_new, 1.0, -1.0)
    labels = np.random.default_rng(seed).logistic(size=len(pages)) < log_odds
    return pa.concat_tables([visits, shop.with_column(later, "is_purchase", labels)]).slice(60 * 14)


def test_what_is_better_than_the_champion_serves_though_one_feature_is_nearly_as_good(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    rows = one_feature_decides(shop, visits, seed=0, of_visitor=0.3)
    decision = shop.decide(rows, [promoted])
    assert decision["lead_over_champion_low"] > 0.2
    assert (
        decision["lead_over_best_single_feature_low"]
        < 0
        < decision["lead_over_best_single_feature"]
    )
    assert decision["decision"] == "trained_promoted"
    # Where nothing worse serves, the feature alone will do.
    first = shop.decide(rows)
    assert first["decision"] == "trained_rejected"
    assert "that of the best single feature beyond noise" in first["reason"]


def test_what_is_behind_its_best_feature_does_not_serve_whatever_serves_now(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    rows = one_feature_decides(shop, visits, seed=2, of_visitor=0.0)
    decision = shop.decide(rows, [promoted])
    assert decision["lead_over_champion_low"] > 0.2
    assert decision["lead_over_best_single_feature"] < 0
    assert decision["decision"] == "trained_rejected"


def test_a_challenger_is_compared_on_rows_that_the_champion_was_not_fitted_on(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    """The new test window reaches back into what the champion learned from."""
    spec = shop.spec("is_weekend", "month", "noise", "pages", "visitor")
    splits = shop.split(visits, validation_days=10, test_days=40)
    training_set = TrainingSet.of(splits, ("session_id",), "session_on", spec)
    decision = decide(spec, training_set, [promoted], shop.settings())
    fresh = shop.examples(visits.slice(45 * 14))
    assert min(fresh.rows["session_on"].to_pylist()) > promoted["validation_to_on"]
    assert decision["test_from_on"] < promoted["validation_to_on"]
    challenger, champion = (
        RankedScores(fresh.labels, load_model(row).score(fresh.rows, 1)).roc_auc()
        for row in (decision, promoted)
    )
    assert challenger is not None
    assert champion is not None
    assert decision["lead_over_champion"] == pytest.approx(challenger - champion)


def test_a_version_that_is_trained_twice_serves_once(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    """Late rows of the newest day change the training set, not what the trees are fitted on."""
    rejected = promoted | {"decision": "trained_rejected", "is_champion": False}
    extra = visits.slice(visits.num_rows - 1)
    late = pa.concat_tables([visits, shop.with_column(extra, "session_id", ["s9999"])])
    second = shop.decide(late, [rejected])
    assert second["training_set_hash"] != promoted["training_set_hash"]
    assert second["decision"] == "trained_promoted", second["reason"]
    (served,) = serving_models(shop.log(rejected, second))
    assert served.model_version == second["model_version"]
    assert shop.decide(late, [rejected, second])["decision"] == "kept"


# --- a person takes a version back, or holds it ---


def said(past: list[Row], decision: str, named: Row) -> Row:
    """What `rollback_model`, `pin_model` and `unpin_model` append: a decision without a model."""
    return named | {
        "decision_number": past[-1]["decision_number"] + 1,
        "decision": decision,
        "reason": f"{decision} by Ana: a test",
        "is_champion": True,
        "input_hash": None,
        "triggers": None,
        "artifact": None,
        "artifact_sha256": None,
    }


@pytest.fixture(scope="module")
def replaced(shop: Shop, turned_window: pa.Table, promoted: Row) -> list[Row]:
    """A champion and the one that replaced it."""
    return [promoted, shop.decide(turned_window, [promoted])]


@pytest.mark.parametrize("decision", ["rolled_back", "pinned"])
def test_while_a_version_is_pinned_triggers_are_told_and_nothing_is_trained(
    shop: Shop, turned_window: pa.Table, promoted: Row, decision: str
) -> None:
    past = [promoted, said([promoted], decision, promoted)]
    for _ in range(2):
        past.append(shop.decide(turned_window, past))
        assert past[-1]["decision"] == "pinned"
        assert past[-1]["is_champion"] is True
        assert past[-1]["model_version"] == promoted["model_version"]
        assert past[-1]["artifact"] is None
        assert "fallen_metric" in fired(past[-1])
        assert f"since decision 2 ({decision} by Ana: a test)" in past[-1]["reason"]
        assert past[-1]["roc_auc"] is not None
        assert past[-1]["train_to_on"] == promoted["train_to_on"]


def test_a_version_that_was_taken_back_to_serves_until_it_is_unpinned_and_beaten(
    shop: Shop, turned: pa.Table, turned_window: pa.Table, replaced: list[Row]
) -> None:
    old, new = replaced
    past = [*replaced, said(replaced, "rolled_back", old)]
    past.append(shop.decide(turned_window, past))
    (served,) = serving_models(shop.log(*past))
    assert served.model_version == old["model_version"]
    past.append(said(past, "unpinned", old))
    # The fallen metric was answered by the version that was taken back from.
    past.append(shop.decide(turned_window, past))
    assert past[-1]["decision"] == "kept"
    assert past[-1]["model_version"] == old["model_version"]
    assert "was answered" in past[-1]["reason"]
    newer = shop.decide(turned.slice(61 * 14), past)
    assert newer["decision"] == "trained_promoted", newer["reason"]
    assert newer["decision_number"] == 7
    assert newer["model_version"] != new["model_version"]


def test_a_pin_holds_where_labels_are_too_few_or_none(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    past = [promoted, said([promoted], "pinned", promoted)]
    for rows in (visits, visits.slice(0, 0)):
        decision = shop.decide(rows, past, min_train_rows=10_000)
        assert decision["decision"] == "pinned"
        assert fired(decision) == []
        assert decision["model_version"] == promoted["model_version"]


def test_what_a_person_decided_is_not_taken_for_a_decision_on_the_same_data(
    shop: Shop, visits: pa.Table
) -> None:
    first = shop.train(visits)
    past = first.to_pylist()
    past.append(said(past, "pinned", past[0]))
    log = pa.Table.from_pylist(past, schema=RUN_SCHEMA)
    pinned = shop.train(visits, log)
    assert pinned["decision"].to_pylist() == ["pinned"]
    # Nothing is new: the decision is made again as it was, and no row is read.
    again = shop.train(visits, pa.concat_tables([log, pinned])).to_pylist()
    same = pinned.to_pylist()
    assert again[0]["decision_number"] == 4
    ignored = {"decision_number": 0, "model_run_id": ""}
    assert again[0] | ignored == same[0] | ignored
    unpinned = pa.Table.from_pylist([said([*past, *same], "unpinned", past[0])], schema=RUN_SCHEMA)
    free = shop.train(visits, pa.concat_tables([log, pinned, unpinned]))
    assert free["decision"].to_pylist() == ["kept"]


# --- the same data, the same decision ---


def test_the_physical_order_of_rows_changes_nothing(shop: Shop, visits: pa.Table) -> None:
    order = np.random.default_rng(3).permutation(visits.num_rows)
    shuffled = visits.take(pa.array(order))
    assert shop.train(shuffled).equals(shop.train(visits))


def test_the_number_of_threads_and_the_hour_of_the_run_change_no_decision(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    other = shop.decide(visits, run_started_at=datetime(2031, 2, 3, 4, 5), training_threads=1)
    changed = {name for name in RUN_SCHEMA.names if other[name] != promoted[name]}
    assert changed == {"decided_at"}


# --- the table that is written ---


def test_a_build_writes_one_typed_row_for_each_model(shop: Shop, visits: pa.Table) -> None:
    specs = tuple(
        ModelSpec(name, "is_purchase", "roc_auc", shop.features(*features))
        for name, features in (("early", ("pages", "visitor")), ("noisy", ("noise", "is_weekend")))
    )
    first = shop.train(visits, specs=specs)
    assert first.schema == RUN_SCHEMA
    assert first["model_name"].to_pylist() == ["early", "noisy"]
    assert first["decision"].to_pylist() == ["trained_promoted", "trained_rejected"]
    second = shop.train(visits, first, specs=specs)
    assert second.schema == RUN_SCHEMA
    assert second["decision"].to_pylist() == ["kept", "kept"]
    assert second["decision_number"].to_pylist() == [2, 2]
    assert second["is_champion"].to_pylist() == [True, False]
    stored = pa.concat_tables([second, first])
    third = shop.train(visits, stored, specs=specs)
    assert third["decision_number"].to_pylist() == [3, 3]
    assert third["model_version"].to_pylist() == [first["model_version"][0].as_py(), None]


@pytest.mark.parametrize("days", [60, 66])
def test_where_nothing_is_new_no_row_is_read_and_the_decision_is_what_reading_gives(
    shop: Shop, visits: pa.Table, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a promotion, and after champions that were measured on new rows."""
    log = shop.train(visits)
    if days > 60:
        visits = shop.visits(days=days)
        log = pa.concat_tables([log, shop.train(visits, log)])
    past = log.to_pylist()
    expected = shop.decide(visits, past)
    read = _read_columns(monkeypatch)
    (found,) = shop.train(visits, log).to_pylist()
    assert not any("pages" in columns for columns in read)
    assert found["input_hash"] == past[-1]["input_hash"]
    assert found | {"input_hash": None} == expected


@pytest.mark.parametrize(
    "changed",
    [{"min_class_rows": 21}, {"retrain_max_age_days": 91}, {"bootstrap_replicates": 101}],
)
def test_a_changed_setting_is_something_new(
    shop: Shop, visits: pa.Table, changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = shop.train(visits)
    read = _read_columns(monkeypatch)
    (found,) = shop.train(visits, log, **changed).to_pylist()
    assert any("pages" in columns for columns in read)
    assert found["input_hash"] != log["input_hash"][0].as_py()


def test_a_changed_value_is_something_new_and_another_order_of_rows_is_not(
    shop: Shop, visits: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = shop.train(visits)
    read = _read_columns(monkeypatch)
    shop.train(visits.take(pa.array(range(visits.num_rows - 1, -1, -1))), log)
    assert not any("pages" in columns for columns in read)
    pages = visits["pages"].to_pylist()
    shop.train(shop.with_column(visits, "pages", [pages[0] + 1, *pages[1:]]), log)
    assert any("pages" in columns for columns in read)


def test_a_rejection_is_looked_at_again(shop: Shop, visits: pa.Table) -> None:
    spec = shop.spec("is_weekend", "noise")
    log = shop.train(visits, specs=(spec,))
    again = shop.train(visits, log, specs=(spec,)).to_pylist()[0]
    assert again | {"input_hash": None} == shop.decide(visits, log.to_pylist(), spec=spec)


def _read_columns(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The columns of each relation that is read from now on."""
    seen: list[tuple[str, ...]] = []
    read = DuckDBRelation.read

    def noted(relation: DuckDBRelation) -> pa.Table:
        seen.append(relation.columns)
        return read(relation)

    monkeypatch.setattr(DuckDBRelation, "read", noted)
    return seen


def test_every_column_of_a_decision_is_declared(promoted: Row, refused: Row) -> None:
    for decision in (promoted, refused):
        assert list(decision) == RUN_SCHEMA.names


def test_a_build_without_any_row_writes_a_typed_decision(shop: Shop, visits: pa.Table) -> None:
    decisions = shop.train(visits.slice(0, 0))
    assert decisions.schema == RUN_SCHEMA
    assert decisions["decision"].to_pylist() == ["not_enough_labels"]


def test_a_task_without_models_writes_an_empty_typed_table(shop: Shop, visits: pa.Table) -> None:
    catalog = shop.model_features(shop.spec()).equal_to("task", "no such task")
    decisions = train_task(
        "visits",
        keys=["session_id"],
        date_column="session_on",
        run_context=shop.run_context(),
        model_features=catalog,
        training_set=shop.relate(shop.split(visits)),
        past=None,
    )
    assert decisions.schema == RUN_SCHEMA
    assert decisions.num_rows == 0


def test_the_date_of_a_row_may_be_one_of_its_keys(shop: Shop, visits: pa.Table) -> None:
    """A customer is asked about once for each date."""
    decisions = train_task(
        "visits",
        keys=["session_id", "session_on"],
        date_column="session_on",
        run_context=shop.run_context(),
        model_features=shop.model_features(shop.spec()),
        training_set=shop.relate(shop.split(visits)),
        past=None,
    )
    assert decisions["decision"].to_pylist() == ["trained_promoted"]


def test_a_champion_that_was_tampered_with_stops_the_build(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    changed = bytearray(promoted["artifact"])
    changed[len(changed) // 2] ^= 1
    with pytest.raises(ArtifactError, match=re.escape(promoted["artifact_sha256"])):
        shop.decide(visits, [promoted | {"artifact": bytes(changed)}])


def test_what_can_be_done_about_a_champion_that_was_tampered_with_is_told(
    shop: Shop, turned_window: pa.Table, replaced: list[Row], promoted: Row
) -> None:
    old, new = replaced
    damaged = [old, new | {"artifact": b"damaged"}]
    with pytest.raises(ArtifactError) as refusal:
        shop.decide(turned_window, damaged)
    message = str(refusal.value)
    assert message.startswith(f"Version {new['model_version']} of intent was changed")
    assert re.fullmatch(r"[^\n]*\.", message)
    assert "rollback_model" in message
    with pytest.raises(ArtifactError, match=re.escape(message)):
        serving_models(shop.log(*damaged))
    # An earlier version serves again.
    taken_back = [*damaged, said(damaged, "rolled_back", old)]
    assert shop.decide(turned_window, taken_back)["model_version"] == old["model_version"]
    (served,) = serving_models(shop.log(*taken_back))
    assert served.model_version == old["model_version"]


def test_a_champion_whose_model_is_gone_stops_the_build(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    emptied = [promoted | {"artifact": None}]
    kept = said([promoted], "pinned", promoted)
    for past, words in (
        (emptied, "was changed after it was written"),
        ([kept], "no decision holds it"),
    ):
        with pytest.raises(ArtifactError, match=words):
            shop.decide(visits, past)
        with pytest.raises(ArtifactError, match=words):
            serving_models(shop.log(*past))


def test_a_champion_that_was_tampered_with_stops_a_build_with_nothing_new(
    shop: Shop, visits: pa.Table
) -> None:
    log = shop.train(visits)
    place = log.schema.get_field_index("artifact")
    damaged = log.set_column(place, log.schema.field(place), pa.array([b"damaged"], pa.binary()))
    with pytest.raises(ArtifactError, match=re.escape(log["artifact_sha256"][0].as_py())):
        shop.train(visits, damaged)
