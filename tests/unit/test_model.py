"""A model gives the same scores wherever it runs, and says what they are made of."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from customer_insights.catalog import Feature
from customer_insights.errors import ArtifactError
from customer_insights.metrics import Floats, RankedScores, log_loss
from customer_insights.model import Examples, TrainedModel, artifact_hash, fit

if TYPE_CHECKING:
    from conftest import Shop


@pytest.fixture(scope="module")
def visits(shop: Shop) -> pa.Table:
    return shop.visits()


@pytest.fixture(scope="module")
def trained(shop: Shop, visits: pa.Table) -> TrainedModel:
    return shop.fit(visits)


def log_odds(scores: Floats) -> Floats:
    return np.log(scores / (1.0 - scores))


def test_the_number_of_threads_changes_no_byte(shop: Shop, visits: pa.Table) -> None:
    one, two = shop.fit(visits, threads=1), shop.fit(visits, threads=2)
    assert one.to_bytes() == two.to_bytes()
    np.testing.assert_array_equal(one.score(visits, threads=1), two.score(visits, threads=2))


def test_the_same_input_gives_the_same_bytes_and_another_seed_others(
    shop: Shop, visits: pa.Table, trained: TrainedModel
) -> None:
    assert shop.fit(visits).to_bytes() == trained.to_bytes()
    assert shop.fit(visits, seed=8).to_bytes() != trained.to_bytes()


def test_scoring_and_explaining_leave_the_stored_model_as_it_is(
    shop: Shop, visits: pa.Table
) -> None:
    model = shop.fit(visits)
    before = model.to_bytes()
    model.score(visits, threads=2)
    model.contributions(visits, threads=2)
    assert model.to_bytes() == before


def test_a_stored_model_scores_like_the_one_that_was_trained(
    visits: pa.Table, trained: TrainedModel
) -> None:
    artifact = trained.to_bytes()
    loaded = TrainedModel.from_bytes(artifact, artifact_hash(artifact))
    assert loaded.encoder == trained.encoder
    assert (loaded.threshold, loaded.cut_points, loaded.rounds) == (
        trained.threshold,
        trained.cut_points,
        trained.rounds,
    )
    np.testing.assert_array_equal(loaded.score(visits, 1), trained.score(visits, 1))
    np.testing.assert_array_equal(loaded.contributions(visits, 1), trained.contributions(visits, 1))
    assert loaded.to_bytes() == artifact


@given(data=st.data())
def test_a_stored_model_with_one_changed_byte_is_refused(
    data: st.DataObject, trained: TrainedModel
) -> None:
    artifact = trained.to_bytes()
    changed = bytearray(artifact)
    changed[data.draw(st.integers(0, len(artifact) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ArtifactError):
        TrainedModel.from_bytes(bytes(changed), artifact_hash(artifact))


def test_a_refused_model_is_named_and_the_remedy_is_told_in_a_sentence(
    trained: TrainedModel,
) -> None:
    sha256 = artifact_hash(trained.to_bytes())
    with pytest.raises(ArtifactError) as refusal:
        TrainedModel.from_bytes(trained.to_bytes()[:-1], sha256)
    message = str(refusal.value)
    assert sha256 in message
    assert "restore" in message
    assert re.fullmatch(r"[A-Z][^\n]*\.", message)


def test_a_stored_model_is_xgboost_s_own_format_with_readable_attributes(
    trained: TrainedModel,
) -> None:
    artifact = trained.to_bytes()
    assert artifact_hash(artifact) == hashlib.sha256(artifact).hexdigest()
    booster = xgb.Booster()
    booster.load_model(bytearray(artifact))
    assert booster.num_boosted_rounds() == trained.rounds
    texts = [text or "" for text in booster.attributes().values()]
    (document,) = (json.loads(text) for text in texts if text.startswith("{"))
    assert document["threshold"] == trained.threshold
    assert document["levels"]["visitor"] == ["new", "returning"]


def test_scores_are_probabilities_whose_mean_on_validation_is_the_share_of_positives(
    shop: Shop, visits: pa.Table, trained: TrainedModel
) -> None:
    _, validation, _ = shop.parts(visits)
    scores = trained.score(validation.rows, 1)
    assert scores.dtype == np.float64
    assert ((scores > 0) & (scores < 1)).all()
    assert np.mean(scores) == pytest.approx(np.mean(validation.labels), abs=1e-4)


def test_calibration_never_makes_the_loss_on_validation_worse(
    shop: Shop, visits: pa.Table, trained: TrainedModel
) -> None:
    _, validation, _ = shop.parts(visits)
    raw = trained.booster.inplace_predict(
        trained.encoder.encode(validation.rows), validate_features=False
    )
    calibrated = log_loss(validation.labels, trained.score(validation.rows, 1))
    uncalibrated = log_loss(validation.labels, np.asarray(raw, dtype=np.float64))
    assert calibrated is not None
    assert uncalibrated is not None
    assert calibrated <= uncalibrated + 1e-9


def test_calibration_keeps_the_order_of_the_trees(visits: pa.Table, trained: TrainedModel) -> None:
    margin = trained.booster.inplace_predict(
        trained.encoder.encode(visits), predict_type="margin", validate_features=False
    )
    assert trained.slope > 0
    assert (np.diff(trained.score(visits, 1)[np.argsort(margin)]) >= 0).all()


def test_the_threshold_has_the_highest_f1_of_the_validation_rows(
    shop: Shop, visits: pa.Table, trained: TrainedModel
) -> None:
    _, validation, _ = shop.parts(visits)
    scores = trained.score(validation.rows, 1)
    ranked = RankedScores(validation.labels, scores)
    best = ranked.f1(threshold=trained.threshold)
    assert best is not None
    assert all((ranked.f1(threshold=score) or 0.0) <= best for score in scores)


def test_deciles_part_the_validation_rows_into_tenths_from_low_to_high(
    shop: Shop, visits: pa.Table, trained: TrainedModel
) -> None:
    _, validation, _ = shop.parts(visits)
    scores = trained.score(validation.rows, 1)
    deciles = trained.decile(scores)
    counts = np.bincount(deciles, minlength=11)[1:]
    assert counts.sum() == len(scores)
    assert counts.min() >= len(scores) // 10 - 3
    assert (np.diff(deciles[np.argsort(scores)]) >= 0).all()


def test_a_score_beyond_all_cut_points_is_in_the_first_or_the_last_decile(
    trained: TrainedModel,
) -> None:
    edges = np.array(trained.cut_points)
    assert trained.decile(np.array([0.0, 1.0])).tolist() == [1, 10]
    assert trained.decile(edges).tolist() == list(range(2, 11))
    assert trained.decile(edges - 1e-12).tolist() == list(range(1, 10))


def test_contributions_and_a_constant_add_up_to_the_log_odds_of_each_score(
    visits: pa.Table, trained: TrainedModel
) -> None:
    contributions = trained.contributions(visits, 1)
    assert contributions.shape == (visits.num_rows, len(trained.encoder.features))
    rest = log_odds(trained.score(visits, 1)) - contributions.sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=2e-5)


def test_what_tells_of_a_purchase_contributes_and_what_does_not_contributes_little(
    shop: Shop, visits: pa.Table
) -> None:
    model = shop.fit(visits, "noise", "pages", "visitor")
    mean = dict(
        zip(
            model.encoder.feature_names,
            np.abs(model.contributions(visits, 1)).mean(axis=0),
            strict=True,
        )
    )
    assert mean["pages"] > 2 * mean["noise"]
    assert mean["visitor"] > 2 * mean["noise"]
    of_new = model.contributions(visits, 1)[
        np.array(visits["visitor"].to_pylist()) == "new",
        model.encoder.feature_names.index("visitor"),
    ]
    assert (of_new > 0).all()


def test_a_batch_of_rows_scores_like_a_table_of_them_and_alone_like_together(
    visits: pa.Table, trained: TrainedModel
) -> None:
    together = trained.score(visits, 1)
    (batch,) = visits.combine_chunks().to_batches()
    np.testing.assert_array_equal(trained.score(batch, 1), together)
    alone = [float(trained.score(visits.slice(place, 1), 1)[0]) for place in range(20)]
    np.testing.assert_array_equal(alone, together[:20])


def test_no_rows_have_no_scores_and_no_contributions(
    visits: pa.Table, trained: TrainedModel
) -> None:
    assert trained.score(visits.slice(0, 0), 1).shape == (0,)
    assert trained.contributions(visits.slice(0, 0), 1).shape == (0, 4)


def test_a_category_that_training_did_not_see_scores_like_a_missing_one(
    shop: Shop, visits: pa.Table, trained: TrainedModel
) -> None:
    rows = visits.slice(0, 50)
    for name in ("visitor", "month"):
        unseen = shop.with_column(rows, name, ["of another world"] * 50)
        missing = shop.with_column(rows, name, pa.nulls(50, pa.string()))
        np.testing.assert_array_equal(trained.score(unseen, 1), trained.score(missing, 1))


def monthly(random: np.random.Generator, rows: int) -> Examples:
    """January sells, July does not."""
    is_january = random.random(rows) < 0.5
    labels = random.random(rows) < np.where(is_january, 0.85, 0.15)
    months = np.where(is_january, "Jan", "Jul").tolist()
    return Examples(pa.table({"month": months, "pages": random.random(rows)}), labels)


def test_a_month_that_training_did_not_see_scores_near_the_mean_of_those_it_saw() -> None:
    random = np.random.default_rng(0)
    train, validation = monthly(random, 1000), monthly(random, 500)
    features = (Feature("month", "category", is_calendar=True), Feature("pages", "number"))
    model = fit(train, validation, features, seed=1, threads=1)
    scores = model.score(pa.table({"month": ["Jan", "Jul", "Nov"], "pages": [0.5] * 3}), 1)
    january, july, unseen = scores
    assert january > 0.75
    assert july < 0.25
    assert 0.35 < unseen < 0.65


def test_a_refit_keeps_the_rounds_and_learns_from_the_validation_rows_too(
    shop: Shop, visits: pa.Table, trained: TrainedModel
) -> None:
    refitted = shop.fit(visits, refit_on_validation=True)
    assert refitted.rounds == trained.rounds
    assert refitted.to_bytes() != trained.to_bytes()
    assert refitted.to_bytes() == shop.fit(visits, refit_on_validation=True, threads=2).to_bytes()


def test_a_refitted_model_is_calibrated_on_scores_of_rows_that_its_trees_did_not_see(
    shop: Shop, visits: pa.Table
) -> None:
    """Trees separate the rows they saw too well: to calibrate on those would ask for a steeper
    slope, which overstates how sure a score is."""
    _, validation, _ = shop.parts(visits)
    refitted = shop.fit(visits, refit_on_validation=True)
    margin = refitted.booster.inplace_predict(
        refitted.encoder.encode(validation.rows), predict_type="margin", validate_features=False
    )
    on_seen_rows = LogisticRegression(C=np.inf).fit(margin[:, None], validation.labels)
    assert refitted.slope < 0.9 * float(on_seen_rows.coef_[0, 0])


def test_each_row_that_a_refit_is_calibrated_on_is_held_out_once(shop: Shop) -> None:
    """A key in the validation rows foretells the label only of the row itself."""
    random = np.random.default_rng(2)
    labels = random.random(400) < 0.5
    rows = pa.table({"noise": random.normal(size=400)})
    train = Examples(rows.slice(0, 200), labels[:200])
    validation = Examples(rows.slice(200), labels[200:])
    model = fit(
        train, validation, shop.features("noise"), seed=1, threads=1, refit_on_validation=True
    )
    scores = model.score(validation.rows, 1)
    # Nothing can be known, so an honest calibration keeps every score near the share of positives.
    assert np.abs(scores - labels[200:].mean()).max() < 0.35
    assert model.rounds >= 1


def test_features_that_are_empty_in_training_do_no_harm(shop: Shop, visits: pa.Table) -> None:
    rows = shop.with_column(visits, "empty_text", pa.nulls(visits.num_rows, pa.string()))
    rows = shop.with_column(rows, "empty_number", pa.nulls(visits.num_rows, pa.float64()))
    train, validation, test = shop.parts(rows)
    features = (
        Feature("empty_number", "number"),
        Feature("empty_text", "category"),
        Feature("pages", "number"),
    )
    model = fit(train, validation, features, seed=1, threads=1)
    assert (RankedScores(test.labels, model.score(test.rows, 1)).roc_auc() or 0.0) > 0.7


def test_a_category_of_many_levels_is_fitted_and_scored(shop: Shop, visits: pa.Table) -> None:
    levels = [f"level {place % 90}" for place in range(visits.num_rows)]
    rows = shop.with_column(visits, "many", levels)
    train, validation, _ = shop.parts(rows)
    model = fit(
        train,
        validation,
        (Feature("many", "category"), Feature("pages", "number")),
        seed=1,
        threads=1,
    )
    artifact = model.to_bytes()
    loaded = TrainedModel.from_bytes(artifact, artifact_hash(artifact))
    np.testing.assert_array_equal(loaded.score(rows, 1), model.score(rows, 1))
