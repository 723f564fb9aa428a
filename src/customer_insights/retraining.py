"""When to train again. Each trigger is evaluated at every build and stored with its decision.

A further trigger is a further function in TRIGGERS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from customer_insights.catalog import ModelSpec
from customer_insights.evaluation import Performance
from customer_insights.settings import Settings


@dataclass(frozen=True)
class Champion:
    """The version that serves, as its promotion recorded it."""

    model_version: str
    feature_names: tuple[str, ...]
    test_to_on: date
    primary_value: float


@dataclass(frozen=True)
class Situation:
    """What the triggers look at.

    `recent` is the champion's performance on mature rows that are new to it, None where they are
    too few to say.
    """

    spec: ModelSpec
    settings: Settings
    champion: Champion | None
    recent: Performance | None
    newest_on: date


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
    is_fired = now.champion is None
    return Trigger("no_champion", is_fired, None, None, "no model serves yet")


def changed_features(now: Situation) -> Trigger:
    """The catalog allows other features than the champion uses."""
    used = set(now.champion.feature_names) if now.champion else set(now.spec.feature_names)
    changed = sorted(used ^ set(now.spec.feature_names))
    message = f"the feature list changed: {', '.join(changed)}"
    return Trigger("changed_features", bool(changed), float(len(changed)), 0.0, message)


def age(now: Situation) -> Trigger:
    """So many days of data have come since the champion's test window."""
    days = (now.newest_on - now.champion.test_to_on).days if now.champion else None
    limit = now.settings.retrain_max_age_days
    message = f"{days} days of data are newer than the champion ({limit} allowed)"
    is_fired = days is not None and days >= limit
    return Trigger("age", is_fired, None if days is None else float(days), float(limit), message)


def fallen_metric(now: Situation) -> Trigger:
    """Even the upper bound of the matured primary metric lies below its value at promotion."""
    name = "fallen_metric"
    if now.champion is None or now.recent is None:
        return Trigger(name, False, None, None, "too few new mature rows to measure")
    metric = now.recent.metric(now.spec.primary_metric)
    limit = now.champion.primary_value - now.settings.retrain_metric_margin
    if metric.high is None:
        return Trigger(name, False, None, limit, "too few new mature rows to measure")
    message = (
        f"{now.spec.primary_metric} on new mature rows is at most {metric.high:.3f}, below "
        f"{limit:.3f}, its value at promotion less the margin"
    )
    return Trigger(name, metric.high < limit, metric.high, limit, message)


def low_f1(now: Situation) -> Trigger:
    """F1 on new mature rows lies below an absolute threshold, where one is set."""
    limit = now.settings.retrain_f1_threshold
    value = now.recent.f1.value if now.recent else None
    is_fired = limit is not None and value is not None and value < limit
    shown = "unknown" if value is None else f"{value:.3f}"
    return Trigger("low_f1", is_fired, value, limit, f"F1 on new mature rows is {shown}")


TRIGGERS: tuple[Callable[[Situation], Trigger], ...] = (
    no_champion,
    changed_features,
    age,
    fallen_metric,
    low_f1,
)


def evaluate_triggers(now: Situation) -> list[Trigger]:
    """Every trigger, fired or not, in a fixed order."""
    return [trigger(now) for trigger in TRIGGERS]
