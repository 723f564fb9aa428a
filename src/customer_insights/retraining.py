"""When to train again. Each trigger is evaluated at every build and stored with its decision.

A further trigger is a further function in TRIGGERS; what it looks at is a field of Situation, which
`training._situation` fills. No trigger reads what monitoring writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from customer_insights.calibration import Calibration
from customer_insights.catalog import ModelSpec
from customer_insights.evaluation import Performance
from customer_insights.metrics import UNDEFINED, Interval, unpaired_difference
from customer_insights.monitoring.drift import FeatureDrift
from customer_insights.settings import Settings

# Calibration is tested at every build, so by chance alone it must seldom look wrong.
NOISE_LEVEL = 0.01
# Triggers that ask a champion's challengers once, not again with the rows of the next day.
ANSWERED_FOR_GOOD = frozenset({"costly_drift", "miscalibrated"})


@dataclass(frozen=True)
class Champion:
    """The version that serves, as its promotion recorded it.

    `challenged_on` is the last day of the newest data that anything was trained on since, the
    champion itself included: a challenger that lost has shown that age is no reason yet.
    `primary` is its primary metric on its test rows. `study_id` names the search that found its
    parameters, None where none did.
    """

    model_version: str
    feature_names: tuple[str, ...]
    label_settings: Mapping[str, Any]
    challenged_on: date
    primary: Interval
    study_id: str | None = None


@dataclass(frozen=True)
class Situation:
    """What the triggers look at.

    `recent` and `calibration` are the champion's on mature rows that are new to it, None where they
    are too few to say. `study_id` names the search whose parameters a training would use.
    """

    spec: ModelSpec
    settings: Settings
    champion: Champion | None
    recent: Performance | None
    newest_on: date
    calibration: Calibration | None = None
    study_id: str | None = None
    drift: tuple[FeatureDrift, ...] | None = None


@dataclass(frozen=True)
class Trigger:
    """One reason to train again, fired or not, with the number behind it."""

    name: str
    is_fired: bool
    value: float | None
    threshold: float | None
    message: str


def no_champion(now: Situation) -> Trigger:
    """Nothing serves yet."""
    if now.champion is None:
        return Trigger("no_champion", True, None, None, "no model serves yet")
    message = f"version {now.champion.model_version} serves"
    return Trigger("no_champion", False, None, None, message)


def changed_features(now: Situation) -> Trigger:
    """The catalog allows other features than the champion uses."""
    used = set(now.champion.feature_names) if now.champion else set(now.spec.feature_names)
    changed = sorted(used ^ set(now.spec.feature_names))
    message = f"the feature list changed: {', '.join(changed)}" if changed else "the same features"
    return Trigger("changed_features", bool(changed), float(len(changed)), 0.0, message)


def changed_label(now: Situation) -> Trigger:
    """The label means something else than the champion learned: another window, say."""
    meant = now.champion.label_settings if now.champion else {}
    changed = [
        f"{name} went from {meant[name]} to {value}"
        for name, value in now.spec.label_settings
        if meant.get(name, value) != value
    ]
    message = f"the label changed: {', '.join(changed)}" if changed else "the same label"
    return Trigger("changed_label", bool(changed), float(len(changed)), 0.0, message)


def age(now: Situation) -> Trigger:
    """So many days of data have come since the newest training, promoted or not."""
    limit = now.settings.retrain_max_age_days
    if now.champion is None:
        return Trigger("age", False, None, float(limit), "no model serves yet")
    days = (now.newest_on - now.champion.challenged_on).days
    message = f"{days} days of data are newer than the last training; {limit} call for another"
    return Trigger("age", days >= limit, float(days), float(limit), message)


def fallen_metric(now: Situation) -> Trigger:
    """The primary metric on new mature rows is lower than at promotion, by more than a margin.

    Both were measured on some rows, so what counts is what the noise of both leaves of the fall:
    the lower end of the 95 % interval of the difference (`metrics.unpaired_difference`). A champion
    that has lost just the margin is called fallen with a chance of 2.5 % at a decision, and one
    that is as good as it was with a smaller one. So sure it must be, as each build asks again about
    nearly the same rows, and as the champion was chosen by those that measured it at promotion;
    docs/monitoring/fallen_performance.md says how often it fires in shops that stay as they are.
    """
    name, limit = "fallen_metric", now.settings.retrain_metric_margin
    if now.champion is None:
        return Trigger(name, False, None, limit, "no model serves yet")
    metric, then = now.spec.primary_metric, now.champion.primary
    recent = now.recent.metric(metric) if now.recent else UNDEFINED
    fall = unpaired_difference(then, recent)
    if fall.low is None:
        return Trigger(name, False, None, limit, "too few new mature rows to measure")
    is_fired = fall.low > limit
    message = (
        f"{metric} was {then.value:.3f} at promotion and is {recent.value:.3f} on new mature rows, "
        f"{fall.value:.3f} [{fall.low:.3f}, {fall.high:.3f}] lower: "
        f"{'more' if is_fired else 'not more'} than {limit:.3f} beyond the noise of both"
    )
    return Trigger(name, is_fired, fall.low, limit, message)


def low_f1(now: Situation) -> Trigger:
    """F1 on new mature rows lies below an absolute threshold, where one is set."""
    limit = now.settings.retrain_f1_threshold
    value = now.recent.f1.value if now.recent else None
    if limit is None:
        return Trigger("low_f1", False, value, None, "no threshold is set")
    if value is None:
        return Trigger("low_f1", False, None, limit, "too few new mature rows to measure")
    is_fired = value < limit
    message = (
        f"F1 on new mature rows is {value:.3f}, {'below' if is_fired else 'not below'} {limit:.3f}"
    )
    return Trigger("low_f1", is_fired, value, limit, message)


def miscalibrated(now: Situation) -> Trigger:
    """Scores of new mature rows are off by more than a margin, and noise does not explain it."""
    name, limit = "miscalibrated", now.settings.retrain_calibration_margin
    found = now.calibration
    if now.champion is None:
        return Trigger(name, False, None, limit, "no model serves yet")
    if found is None:
        return Trigger(name, False, None, limit, "too few new mature rows to measure")
    is_beyond_noise = found.p_value < NOISE_LEVEL
    is_fired = is_beyond_noise and found.gap > limit
    message = (
        f"on {found.rows} new mature rows {found.expected_rate:.1%} were expected and "
        f"{found.observed_rate:.1%} observed; scores are off by {found.gap:.1%} of the rarer "
        f"outcome, {'more' if found.gap > limit else 'not more'} than {limit:.1%}, "
        f"{'beyond' if is_beyond_noise else 'within'} noise (p {found.p_value:.2g})"
    )
    return Trigger(name, is_fired, found.gap, limit, message)


def costly_drift(now: Situation) -> Trigger:
    """A feature has moved, beyond noise, to where the champion errs more, by more than a margin."""
    name, limit = "costly_drift", now.settings.drift_cost_margin
    if now.champion is None:
        return Trigger(name, False, None, limit, "no model serves yet")
    if now.drift is None:
        return Trigger(name, False, None, limit, "too few new mature rows, or no training profile")
    drifted = [each for each in now.drift if each.is_drifted]
    if not drifted:
        return Trigger(name, False, 0.0, limit, "no feature has moved beyond noise")
    worst = max(drifted, key=lambda each: (each.brier_change_low, each.feature))
    is_fired = worst.brier_change_low > limit
    message = (
        f"{worst.feature} costs most of what moved beyond noise (features: {len(drifted)}): "
        f"its shift alone adds at least {worst.brier_change_low:.3f} to the mean squared error, "
        f"{'more' if is_fired else 'not more'} than {limit:.3f}"
    )
    return Trigger(name, is_fired, worst.brier_change_low, limit, message)


def tuned_parameters(now: Situation) -> Trigger:
    """A search has found parameters that nothing was trained with yet."""
    name = "tuned_parameters"
    if now.champion is None:
        return Trigger(name, False, None, None, "no model serves yet")
    is_fired = now.study_id not in (None, now.champion.study_id)
    message = (
        f"study {now.study_id} found parameters that the champion was not trained with"
        if is_fired
        else "no parameters were found that were not tried"
    )
    return Trigger(name, is_fired, None, None, message)


TRIGGERS: tuple[Callable[[Situation], Trigger], ...] = (
    no_champion,
    changed_features,
    changed_label,
    age,
    fallen_metric,
    low_f1,
    miscalibrated,
    costly_drift,
    tuned_parameters,
)


def evaluate_triggers(now: Situation) -> list[Trigger]:
    """Every trigger, fired or not, in a fixed order."""
    return [trigger(now) for trigger in TRIGGERS]
