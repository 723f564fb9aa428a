"""Drift from a training profile, measured where training asks for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from customer_insights.monitoring.drift import FeatureDrift, measure_feature_drift
from customer_insights.training import Row, load_model

if TYPE_CHECKING:
    from conftest import Shop

DEVIATE = 3.09


def found(profile: str, rows: pa.Table) -> dict[str, FeatureDrift]:
    return {each.feature: each for each in measure_feature_drift(profile, rows, DEVIATE)}


def test_rows_like_those_of_training_have_not_drifted(shop: Shop, promoted: Row) -> None:
    drift = found(promoted["profile"], shop.visits(days=120).slice(60 * 14))
    assert not drift["pages"].is_drifted
    assert not drift["visitor"].is_drifted
    # Each month is another one: that has drifted, and does no harm.
    assert drift["month"].is_drifted


def test_a_shift_is_beyond_noise_and_costs_where_the_version_erred_more(
    shop: Shop, promoted: Row
) -> None:
    rows = shop.visits(days=120).slice(60 * 14)
    bins = [each for each in json.loads(promoted["profile"]) if each["column_name"] == "pages"]
    errors = {
        each["bin"]: each["test_squared_error"] / each["test_rows"]
        for each in bins
        if each["test_rows"] and each["upper_edge"]
    }
    edge = {each["bin"]: each["upper_edge"] for each in bins}
    worst, best = max(errors, key=errors.__getitem__), min(errors, key=errors.__getitem__)
    drift = {
        place: found(
            promoted["profile"], shop.with_column(rows, "pages", [edge[place]] * rows.num_rows)
        )["pages"]
        for place in (worst, best)
    }
    assert drift[worst].is_drifted
    assert drift[best].is_drifted
    assert drift[worst].brier_change > drift[worst].brier_change_low > 0
    assert drift[best].brier_change < 0


def test_every_row_is_counted_in_the_bin_it_was_trained_in(shop: Shop, promoted: Row) -> None:
    """The training rows themselves lie nowhere else: each index is that of the half rows alone."""
    visits = shop.split(shop.visits())
    train = visits.filter(pa.array([name == "train" for name in visits["split"].to_pylist()]))
    for each in measure_feature_drift(promoted["profile"], train, DEVIATE):
        assert each.psi == pytest.approx(0, abs=1e-12), each
        assert each.brier_change == pytest.approx(0, abs=1e-12), each


def test_levels_that_were_never_seen_and_missing_ones_have_bins_of_their_own(
    shop: Shop, promoted: Row
) -> None:
    rows = shop.visits(days=120).slice(60 * 14)
    known = rows["visitor"].to_pylist()
    half = len(known) // 2
    indexes = [
        found(promoted["profile"], shop.with_column(rows, "visitor", [*values, *known[half:]]))[
            "visitor"
        ].psi
        for values in (known[:half], ["never seen"] * half, pa.nulls(half, pa.string()).to_pylist())
    ]
    assert indexes[0] < 0.05
    assert min(indexes[1:]) > 0.5


def test_features_that_the_rows_do_not_have_are_left_out(shop: Shop, promoted: Row) -> None:
    rows = shop.visits().drop_columns(["pages"])
    assert set(found(promoted["profile"], rows)) == {"is_weekend", "month", "visitor"}


def test_the_order_of_rows_changes_nothing(shop: Shop, promoted: Row) -> None:
    rows = shop.visits(days=90).slice(60 * 14)
    shuffled = rows.take(np.random.default_rng(1).permutation(rows.num_rows))
    assert measure_feature_drift(promoted["profile"], rows, DEVIATE) == measure_feature_drift(
        promoted["profile"], shuffled, DEVIATE
    )


def test_the_feature_that_shifted_is_blamed_with_what_the_shift_came_to_cost(shop: Shop) -> None:
    """More visits come of those that are hard to tell; what a number of pages means stays."""
    per_day = 200
    champion = shop.decide(shop.visits(per_day=per_day))
    model = load_model(champion)
    later = shop.visits(days=100, per_day=per_day).slice(60 * per_day)
    pages = later["pages"].to_numpy()
    keeps = (pages > 9) & (pages < 18) | (np.arange(len(pages)) % 5 == 0)
    errors = (model.score(later, 1) - later["is_purchase"].to_numpy()) ** 2
    came_to_cost = float(np.mean(errors[keeps]) - np.mean(errors))

    drift = found(champion["profile"], later.filter(pa.array(keeps)))
    worst = max(drift.values(), key=lambda each: each.brier_change_low)
    assert worst.feature == "pages"
    assert worst.is_drifted
    assert worst.brier_change_low > 0.005
    assert worst.brier_change == pytest.approx(came_to_cost, rel=0.4)
    others = [each.brier_change for each in drift.values() if each.feature != "pages"]
    assert max(map(abs, others)) < worst.brier_change_low / 5
