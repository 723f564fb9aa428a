"""The scores that people act on say what moved them, once."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from customer_insights.explaining import EXPLANATION_SCHEMA, ExplainStep, explain_scores
from customer_insights.importance import feature_importance
from customer_insights.model import TrainedModel
from customer_insights.scoring import score_rows

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row


@pytest.fixture(scope="module")
def visits(shop: Shop) -> pa.Table:
    return shop.visits(days=70)


def score(shop: Shop, rows: pa.Table, *decisions: Row) -> pa.Table:
    return shop.written(
        score_rows(
            carried={
                "session_id": pa.string(),
                "session_on": pa.date32(),
                "features_hash": pa.string(),
            },
            keys=["session_id"],
            date_column="session_on",
            run_context=shop.run_context(),
            trained=shop.log(*decisions),
            features=shop.relate(rows),
            past=None,
        )
    )


def explain(
    shop: Shop,
    rows: pa.Table,
    *decisions: Row,
    scored: pa.Table | None = None,
    past: pa.Table | None = None,
    **settings: Any,
) -> pa.Table:
    scored = score(shop, rows, *decisions) if scored is None else scored
    return shop.written(
        explain_scores(
            entity="session_id",
            date_column="session_on",
            run_context=shop.run_context(**settings),
            trained=shop.log(*decisions),
            scored=shop.relate(scored),
            features=shop.relate(rows),
            past=None if past is None else shop.relate(past),
        )
    )


def by_session(explained: pa.Table) -> dict[str, list[dict[str, Any]]]:
    rows = sorted(explained.to_pylist(), key=lambda row: (row["entity_id"], row["rank"]))
    return {name: list(group) for name, group in groupby(rows, key=lambda row: row["entity_id"])}


def test_exactly_the_scores_from_the_decile_on_are_explained(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scored = score(shop, visits, promoted)
    for limit in (10, 7, 11):
        explained = explain(shop, visits, promoted, explain_min_decile=limit)
        due = {row["session_id"] for row in scored.to_pylist() if row["score_decile"] >= limit}
        assert set(explained["entity_id"].to_pylist()) == due
        assert explained.schema == EXPLANATION_SCHEMA


def test_the_features_that_moved_a_score_most_come_first(
    shop: Shop, visits: pa.Table, promoted: Row, serving: TrainedModel
) -> None:
    contributions = dict(
        zip(visits["session_id"].to_pylist(), serving.contributions(visits, 1), strict=True)
    )
    names = serving.encoder.feature_names
    for session, rows in by_session(explain(shop, visits, promoted)).items():
        assert [row["rank"] for row in rows] == [1, 2, 3]
        expected = sorted(
            zip(names, contributions[session], strict=True), key=lambda pair: -abs(pair[1])
        )[:3]
        assert [(row["feature"], row["contribution"]) for row in rows] == expected


def test_no_more_features_are_named_than_the_model_has(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    every = by_session(explain(shop, visits, promoted, explain_features=100))
    assert {len(rows) for rows in every.values()} == {4}
    one = by_session(explain(shop, visits, promoted, explain_features=1))
    assert {len(rows) for rows in one.values()} == {1}


def test_all_contributions_of_a_row_and_a_constant_make_its_score(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scores = {row["session_id"]: row["score"] for row in score(shop, visits, promoted).to_pylist()}
    rest = [
        np.log(scores[session] / (1 - scores[session])) - sum(row["contribution"] for row in rows)
        for session, rows in by_session(
            explain(shop, visits, promoted, explain_features=100, explain_min_decile=1)
        ).items()
    ]
    assert len(rest) == visits.num_rows
    np.testing.assert_allclose(rest, rest[0], atol=2e-5)


def test_importance_is_the_mean_size_of_what_moves_high_scores(
    visits: pa.Table, serving: TrainedModel
) -> None:
    scores = serving.score(visits, 1)
    high = np.flatnonzero(serving.decile(scores) >= 9)
    sizes = np.abs(serving.contributions(visits, 1))

    def stated(most_rows: int) -> dict[str, float]:
        found = json.loads(feature_importance(serving, visits, scores, most_rows, 9) or "[]")
        assert {row["explained_rows"] for row in found} == {min(most_rows, len(high))}
        return {row["feature"]: row["mean_absolute_contribution"] for row in found}

    names = serving.encoder.feature_names
    every = dict(zip(names, sizes[high].mean(axis=0), strict=True))
    assert stated(len(visits)) == pytest.approx(every, abs=1e-8)
    # Every second one, so that rows of all keys are among them.
    half = dict(zip(names, sizes[high[::2][: len(high) // 2]].mean(axis=0), strict=True))
    assert len(high) % 2 == 0
    assert stated(len(high) // 2) == pytest.approx(half, abs=1e-8)
    for most_rows, min_decile in ((0, 9), (10, 11)):
        assert feature_importance(serving, visits, scores, most_rows, min_decile) is None


def test_values_are_texts_as_the_feature_table_holds_them(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    table = {row["session_id"]: row for row in visits.to_pylist()}
    explained = explain(shop, visits, promoted, explain_features=4).to_pylist()
    assert {row["feature"] for row in explained} == {"is_weekend", "month", "pages", "visitor"}
    for row in explained:
        value = table[row["entity_id"]][row["feature"]]
        if isinstance(value, bool):
            assert row["feature_value"] == str(value).lower()
        elif isinstance(value, float):
            assert float(row["feature_value"]) == value
        else:
            assert row["feature_value"] == value


def test_a_missing_value_is_null_not_a_word(shop: Shop, visits: pa.Table, promoted: Row) -> None:
    rows = shop.with_column(visits, "pages", pa.nulls(visits.num_rows, pa.float64()))
    explained = explain(shop, rows, promoted, explain_features=4, explain_min_decile=1).to_pylist()
    values = {row["feature_value"] for row in explained if row["feature"] == "pages"}
    assert values == {None}


def test_an_explanation_names_its_row_day_model_and_version(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    table = {row["session_id"]: row for row in visits.to_pylist()}
    for row in explain(shop, visits, promoted).to_pylist():
        assert row["as_of_on"] == table[row["entity_id"]]["session_on"]
        assert row["features_hash"] == table[row["entity_id"]]["features_hash"]
        assert row["model_name"] == "intent"
        assert row["model_version"] == promoted["model_version"]


def test_a_second_build_explains_nothing_that_is_explained(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    first = explain(shop, visits, promoted)
    second = explain(shop, visits, promoted, past=first)
    assert second.num_rows == 0
    assert second.schema == EXPLANATION_SCHEMA


def test_a_later_build_explains_what_is_new_and_what_has_changed(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    explained = explain(shop, visits, promoted)
    sessions = sorted(set(explained["entity_id"].to_pylist()))
    new, changed = sessions[0], sessions[1]
    past = explained.filter(pa.array([e != new for e in explained["entity_id"].to_pylist()]))
    hashes = [
        "changed" if session == changed else known
        for session, known in zip(
            visits["session_id"].to_pylist(), visits["features_hash"].to_pylist(), strict=True
        )
    ]
    rows = shop.with_column(visits, "features_hash", hashes)
    later = explain(shop, rows, promoted, past=past)
    assert set(later["entity_id"].to_pylist()) == {new, changed}


def test_the_same_features_on_another_day_are_explained_on_their_own(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    """A customer who did nothing for a month has the same features at the next date."""
    first = explain(shop, visits, promoted)
    days = [day + timedelta(days=30) for day in visits["session_on"].to_pylist()]
    later = shop.with_column(visits, "session_on", pa.array(days, pa.date32()))
    explained = explain(shop, later, promoted, past=first)
    assert set(explained["entity_id"].to_pylist()) == set(first["entity_id"].to_pylist())


def test_an_explanation_by_an_older_version_is_none_of_the_champion(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    first = explain(shop, visits, promoted)
    newer = promoted | {"decision_number": 2, "model_version": "v2"}
    scored = score(shop, visits, promoted, newer)
    second = explain(shop, visits, promoted, newer, scored=scored, past=first)
    assert second.num_rows == first.num_rows
    assert set(second["model_version"].to_pylist()) == {"v2"}


def test_a_score_of_features_that_have_changed_since_is_not_explained_by_the_new_ones(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scored = score(shop, visits, promoted)
    changed = shop.with_column(visits, "features_hash", ["changed"] * visits.num_rows)
    assert explain(shop, changed, promoted, scored=scored).num_rows == 0


def test_without_a_champion_or_without_rows_there_is_an_empty_typed_table(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scored = score(shop, visits, promoted)
    assert explain(shop, visits, scored=scored).schema == EXPLANATION_SCHEMA
    nobody = explain(shop, visits.slice(0, 0), promoted)
    assert nobody.num_rows == 0
    assert nobody.schema == EXPLANATION_SCHEMA


def test_the_size_of_a_batch_changes_no_explanation(
    shop: Shop, visits: pa.Table, promoted: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = by_session(explain(shop, visits, promoted, explain_min_decile=1))
    monkeypatch.setattr(ExplainStep, "batch_rows", 50)
    assert by_session(explain(shop, visits, promoted, explain_min_decile=1)) == whole
