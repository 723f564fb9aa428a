"""Each trigger fires exactly at its limit, and stays silent where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import binom

from customer_insights.calibration import Calibration
from customer_insights.evaluation import NO_PERFORMANCE, Performance
from customer_insights.metrics import UNDEFINED, Floats, Interval
from customer_insights.monitoring.drift import FeatureDrift
from customer_insights.retraining import (
    Champion,
    Situation,
    Trigger,
    evaluate_triggers,
    fallen_metric,
)

if TYPE_CHECKING:
    from conftest import Shop

TESTED_TO = date(2024, 6, 30)
SAMPLES = 2000
# At promotion.
TESTED = Interval(0.8, 0.76, 0.83)


def recent(
    roc_auc: Interval, pr_auc: Interval = UNDEFINED, f1: Interval = UNDEFINED
) -> Performance:
    return replace(NO_PERFORMANCE, rows=100, positives=40, roc_auc=roc_auc, pr_auc=pr_auc, f1=f1)


@pytest.fixture
def calm(shop: Shop) -> Situation:
    """A champion that nothing is wrong with."""
    spec = shop.spec("pages", "visitor")
    return Situation(
        spec=spec,
        settings=shop.settings(retrain_max_age_days=90, retrain_metric_margin=0.02),
        champion=Champion("v1", spec.feature_names, {"window_days": 30}, TESTED_TO, TESTED),
        recent=recent(roc_auc=Interval(0.8, 0.75, 0.85), f1=Interval(0.6, 0.5, 0.7)),
        newest_on=TESTED_TO + timedelta(days=1),
    )


def fired(now: Situation) -> list[str]:
    return [trigger.name for trigger in evaluate_triggers(now) if trigger.is_fired]


def trigger(now: Situation, name: str) -> Trigger:
    (found,) = [each for each in evaluate_triggers(now) if each.name == name]
    return found


def with_settings(now: Situation, **changed: Any) -> Situation:
    return replace(now, settings=replace(now.settings, **changed))


def compared(now: Situation, then: Interval, after: Interval) -> Situation:
    """With this primary metric at promotion and on new rows."""
    assert now.champion is not None
    champion = replace(now.champion, primary=then)
    return replace(now, champion=champion, recent=recent(roc_auc=after))


def test_a_champion_that_is_young_and_good_is_left_alone(calm: Situation) -> None:
    assert fired(calm) == []


def test_every_trigger_is_told_each_time_in_the_same_order(calm: Situation) -> None:
    names = [
        "no_champion",
        "changed_features",
        "changed_label",
        "age",
        "fallen_metric",
        "low_f1",
        "miscalibrated",
        "costly_drift",
        "tuned_parameters",
    ]
    for now in (calm, replace(calm, champion=None, recent=None)):
        assert [each.name for each in evaluate_triggers(now)] == names
        assert all(each.message for each in evaluate_triggers(now))


@pytest.mark.parametrize(("days", "names"), [(30, []), (90, ["changed_label"])])
def test_a_label_of_another_window_is_another_label(
    calm: Situation, days: int, names: list[str]
) -> None:
    now = replace(calm, spec=replace(calm.spec, label_settings=(("window_days", days),)))
    assert fired(now) == names
    if names:
        assert "window_days went from 30 to 90" in trigger(now, "changed_label").message


def test_a_champion_of_a_time_when_the_setting_was_not_stored_is_left_alone(
    calm: Situation,
) -> None:
    assert fired(replace(calm, spec=replace(calm.spec, label_settings=(("new", 1),)))) == []


def test_without_a_champion_there_is_one_reason_to_train(calm: Situation) -> None:
    assert fired(replace(calm, champion=None, recent=None)) == ["no_champion"]


@pytest.mark.parametrize(
    ("features", "named"),
    [(("pages",), "visitor"), (("noise", "pages", "visitor"), "noise")],
    ids=["one less", "one more"],
)
def test_one_feature_more_or_less_is_a_changed_list(
    shop: Shop, calm: Situation, features: tuple[str, ...], named: str
) -> None:
    now = replace(calm, spec=shop.spec(*features))
    assert fired(now) == ["changed_features"]
    assert trigger(now, "changed_features").value == 1.0
    assert named in trigger(now, "changed_features").message


def test_the_same_features_in_another_order_are_no_change(shop: Shop, calm: Situation) -> None:
    assert calm.champion is not None
    champion = replace(calm.champion, feature_names=("visitor", "pages"))
    assert fired(replace(calm, champion=champion)) == []


@pytest.mark.parametrize(("days", "fires"), [(89, False), (90, True), (91, True)])
def test_age_fires_on_the_day_it_reaches_its_limit(calm: Situation, days: int, fires: bool) -> None:
    now = replace(calm, newest_on=TESTED_TO + timedelta(days=days))
    assert (fired(now) == ["age"]) is fires
    assert trigger(now, "age").value == days
    assert trigger(now, "age").threshold == 90


def test_age_is_told_by_the_data_not_by_the_clock(calm: Situation) -> None:
    later = calm.settings.run_started_at + timedelta(days=5000)
    assert fired(with_settings(calm, run_started_at=later)) == []


# Of a fall from 0.8 to 0.7 the noise leaves 0.1 less the root of 0.04 and 0.03 squared: 0.05.
@pytest.mark.parametrize(
    ("then", "high", "left"),
    [
        (TESTED, 0.73, 0.05),
        (TESTED, 0.79, 0.0015),
        (Interval(0.8, 0.7, 0.9), 0.73, -0.0044),
        (TESTED, None, None),
        (Interval(0.8, None, None), 0.73, None),
    ],
    ids=["fallen", "few new rows", "few test rows", "unknown", "unknown at promotion"],
)
def test_a_metric_has_fallen_by_what_the_noise_of_both_measurements_leaves(
    calm: Situation, then: Interval, high: float | None, left: float | None
) -> None:
    now = compared(calm, then, Interval(0.7, 0.65, high))
    assert (fired(now) == ["fallen_metric"]) is (left == 0.05)
    found = trigger(now, "fallen_metric")
    assert found.value == (left if left is None else pytest.approx(left, abs=1e-4))
    assert found.threshold == 0.02
    if left == 0.05:
        assert "0.100 [0.050, 0.158] lower: more than 0.020 beyond" in found.message


@pytest.mark.parametrize(("margin", "fires"), [(0.25, False), (0.249, True)])
def test_a_fall_by_just_the_margin_is_none(calm: Situation, margin: float, fires: bool) -> None:
    now = compared(calm, Interval(0.75, 0.75, 0.75), Interval(0.5, 0.5, 0.5))
    found = trigger(with_settings(now, retrain_metric_margin=margin), "fallen_metric")
    assert (found.value, found.is_fired) == (0.25, fires)
    assert f"lower: {'' if fires else 'not '}more than {margin:.3f}" in found.message


def test_a_champion_that_lost_just_the_margin_is_called_fallen_as_often_as_it_says(
    calm: Situation,
) -> None:
    """At 2.5 % of decisions, however many rows measured it then and now; a sound one at fewer."""
    random = np.random.default_rng(1)
    margin, alarms, sound, power = calm.settings.retrain_metric_margin, 0, 0, 0
    for _ in range(SAMPLES):
        errors = random.uniform(0.01, 0.05, 2)
        values = 0.7 + random.normal(size=2) * errors
        sound += is_fallen(calm, values, errors)
        alarms += is_fallen(calm, values - [0.0, margin], errors)
        # Four standard errors of the difference more.
        power += is_fallen(calm, values - [0.0, margin + 4 * np.hypot(*errors)], errors)
    low, high = binom.ppf([0.005, 0.995], SAMPLES, 0.025)
    assert low <= alarms <= high
    assert 0 < sound < 0.01 * SAMPLES
    assert power > 0.95 * SAMPLES


def is_fallen(calm: Situation, values: Floats, errors: Floats) -> bool:
    """Whether the trigger fires for a metric then and now, of these standard errors."""
    then, after = (
        Interval(value, value - 1.96 * error, value + 1.96 * error)
        for value, error in zip(values, errors, strict=True)
    )
    return fallen_metric(compared(calm, then, after)).is_fired


def test_the_metric_that_counts_is_the_one_the_model_is_judged_by(
    shop: Shop, calm: Situation
) -> None:
    bad, good = Interval(0.3, 0.2, 0.4), Interval(0.9, 0.85, 0.95)
    now = replace(calm, recent=recent(roc_auc=good, pr_auc=bad))
    assert fired(now) == []
    by_pr_auc = shop.spec("pages", "visitor", primary_metric="pr_auc")
    assert fired(replace(now, spec=by_pr_auc)) == ["fallen_metric"]


def test_where_too_few_rows_are_new_no_metric_is_judged(calm: Situation) -> None:
    now = with_settings(replace(calm, recent=None), retrain_f1_threshold=0.99)
    assert fired(now) == []
    assert trigger(now, "fallen_metric").value is None
    assert trigger(now, "low_f1").value is None


@pytest.mark.parametrize(
    ("limit", "fires"),
    [(None, False), (0.59, False), (0.6, False), (0.61, True)],
    ids=["off", "above", "at", "below"],
)
def test_f1_is_low_below_its_threshold_where_one_is_set(
    calm: Situation, limit: float | None, fires: bool
) -> None:
    now = with_settings(calm, retrain_f1_threshold=limit)
    assert (fired(now) == ["low_f1"]) is fires
    assert trigger(now, "low_f1").value == 0.6
    assert trigger(now, "low_f1").threshold == limit


def test_an_undefined_f1_is_not_a_low_one(calm: Situation) -> None:
    now = replace(calm, recent=recent(roc_auc=Interval(0.8, 0.7, 0.9)))
    assert fired(with_settings(now, retrain_f1_threshold=0.9)) == []


@pytest.mark.parametrize(
    ("gap", "p_value", "fires"),
    [(0.2, 0.001, True), (0.1, 0.001, False), (0.2, 0.01, False), (0.01, 1e-9, False)],
    ids=["far beyond noise", "at the margin", "may be noise", "near beyond noise"],
)
def test_scores_are_miscalibrated_where_they_are_far_off_and_noise_does_not_explain_it(
    calm: Situation, gap: float, p_value: float, fires: bool
) -> None:
    now = replace(calm, calibration=Calibration(500, 0.1, 0.12, gap, p_value))
    assert (fired(now) == ["miscalibrated"]) is fires
    found = trigger(now, "miscalibrated")
    assert (found.value, found.threshold) == (gap, 0.1)
    assert "10.0% were expected and 12.0% observed" in found.message


@pytest.mark.parametrize(
    ("psi", "cost", "fires"),
    [(0.2, 0.021, True), (0.2, 0.02, False), (0.1, 0.5, False)],
    ids=["drifted and costly", "at the margin", "may be noise"],
)
def test_drift_is_a_reason_where_it_is_beyond_noise_and_costs_more_than_the_margin(
    calm: Situation, psi: float, cost: float, fires: bool
) -> None:
    cheap = FeatureDrift("visitor", 3.0, 0.1, brier_change=-0.1, brier_change_low=-0.2)
    pages = FeatureDrift("pages", psi, 0.1, brier_change=0.6, brier_change_low=cost)
    now = replace(calm, drift=(pages, cheap))
    assert (fired(now) == ["costly_drift"]) is fires
    found = trigger(now, "costly_drift")
    assert found.threshold == 0.02
    assert found.value == (cost if psi > 0.1 else -0.2)
    assert ("pages" in found.message) == (psi > 0.1)


def test_without_drift_nothing_is_known_to_cost_and_without_rows_nothing_at_all(
    calm: Situation,
) -> None:
    still = FeatureDrift("pages", 0.05, 0.1, brier_change=0.6, brier_change_low=0.5)
    one_bin = FeatureDrift("constant", 0.0, None, brier_change=0.0, brier_change_low=0.0)
    assert trigger(replace(calm, drift=(still, one_bin)), "costly_drift").value == 0.0
    assert trigger(replace(calm, drift=None), "costly_drift").value is None


def test_several_reasons_are_all_told(calm: Situation) -> None:
    now = replace(
        calm,
        recent=recent(roc_auc=Interval(0.5, 0.4, 0.6), f1=Interval(0.1, 0.0, 0.2)),
        newest_on=TESTED_TO + timedelta(days=400),
    )
    assert fired(with_settings(now, retrain_f1_threshold=0.5)) == ["age", "fallen_metric", "low_f1"]


def test_no_message_tells_of_none(calm: Situation) -> None:
    for now in (calm, replace(calm, champion=None, recent=None)):
        for each in evaluate_triggers(now):
            assert "None" not in each.message, each


def test_the_message_of_a_trigger_that_did_not_fire_does_not_claim_that_it_did(
    calm: Situation,
) -> None:
    """Triggers are stored with their decision, fired or not."""
    assert not trigger(calm, "changed_features").message.startswith("the feature list changed")
    assert trigger(calm, "fallen_metric").message.count("not more than 0.020")
