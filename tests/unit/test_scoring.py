"""Every row has one score of each version, made once."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from customer_insights.model import TrainedModel
from customer_insights.scoring import ScoreStep, score_rows, score_schema

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row

CARRIED = {
    "session_id": pa.string(),
    "session_on": pa.date32(),
    "features_hash": pa.string(),
}
SCHEMA = score_schema([pa.field(name, kind) for name, kind in CARRIED.items()])


@pytest.fixture(scope="module")
def visits(shop: Shop) -> pa.Table:
    """The training days and ten days more; labels are not known to scoring."""
    return shop.visits(days=70).drop_columns(["is_purchase", "label_definition_version"])


def score(
    shop: Shop,
    rows: pa.Table,
    *decisions: Row,
    past: pa.Table | None = None,
    carried: dict[str, pa.DataType] | None = None,
    **settings: Any,
) -> pa.Table:
    return shop.written(
        score_rows(
            carried=carried or CARRIED,
            keys=["session_id"],
            date_column="session_on",
            run_context=shop.run_context(**settings),
            trained=shop.log(*decisions),
            features=shop.relate(rows),
            past=None if past is None else shop.relate(past),
        )
    )


def test_each_row_gets_one_score_of_the_declared_types(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scores = score(shop, visits, promoted)
    assert scores.schema == SCHEMA
    assert scores["session_id"].to_pylist() == visits["session_id"].to_pylist()
    assert scores["session_on"].to_pylist() == visits["session_on"].to_pylist()
    assert scores["features_hash"].to_pylist() == visits["features_hash"].to_pylist()
    assert set(scores["model_name"].to_pylist()) == {"intent"}
    assert set(scores["model_version"].to_pylist()) == {promoted["model_version"]}
    assert set(scores["scored_at"].to_pylist()) == {shop.settings().run_started_at}
    assert all(column.null_count == 0 for column in scores.columns)


def test_a_stored_score_is_the_score_of_the_stored_model(
    shop: Shop, visits: pa.Table, promoted: Row, serving: TrainedModel
) -> None:
    scores = score(shop, visits, promoted)
    expected = serving.score(visits, 1)
    np.testing.assert_array_equal(scores["score"].to_numpy(), expected)
    np.testing.assert_array_equal(scores["score_decile"].to_numpy(), serving.decile(expected))
    called = np.array(scores["is_predicted"].to_pylist())
    np.testing.assert_array_equal(called, expected >= promoted["threshold"])


def test_deciles_follow_the_cut_points_that_were_stored_not_the_rows_of_the_day(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scores = score(shop, visits, promoted)
    counts = Counter(scores["score_decile"].to_pylist())
    assert sorted(counts) == list(range(1, 11))
    (best,) = np.flatnonzero(scores["score"].to_numpy() == scores["score"].to_numpy().max())[:1]
    alone = score(shop, visits.slice(best, 1), promoted)
    assert alone["score_decile"].to_pylist() == [10]


def test_a_row_says_what_it_was_to_its_model(shop: Shop, visits: pa.Table, promoted: Row) -> None:
    scores = score(shop, visits, promoted).to_pylist()
    roles: dict[str, set[date]] = {}
    for row in scores:
        roles.setdefault(row["sample_role"], set()).add(row["session_on"])
    assert max(roles["in_sample"]) == promoted["train_to_on"]
    assert (min(roles["validation"]), max(roles["validation"])) == (
        promoted["validation_from_on"],
        promoted["validation_to_on"],
    )
    assert (min(roles["test"]), max(roles["test"])) == (
        promoted["test_from_on"],
        promoted["test_to_on"],
    )
    assert min(roles["new"]) == promoted["test_to_on"] + timedelta(days=1)


def test_a_second_build_scores_nothing_where_nothing_is_new(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    first = score(shop, visits, promoted)
    second = score(shop, visits, promoted, past=first)
    assert second.num_rows == 0
    assert second.schema == SCHEMA


def test_only_new_and_changed_rows_are_scored_later(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    known, newer = visits.slice(0, visits.num_rows - 3), visits.slice(visits.num_rows - 3)
    first = score(shop, known, promoted)
    hashes = known["features_hash"].to_pylist()
    changed = shop.with_column(known, "features_hash", ["changed", *hashes[1:]])
    second = score(shop, pa.concat_tables([changed, newer]), promoted, past=first)
    assert sorted(second["session_id"].to_pylist()) == sorted(
        [known["session_id"][0].as_py(), *newer["session_id"].to_pylist()]
    )


def test_a_new_champion_scores_anew_what_the_old_one_had_scored(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    first = score(shop, visits, promoted)
    newer = promoted | {"decision_number": 2, "model_version": "v2"}
    second = score(shop, visits, promoted, newer, past=first)
    assert second.num_rows == visits.num_rows
    assert set(second["model_version"].to_pylist()) == {"v2"}


def test_a_version_that_was_replaced_scores_the_rows_of_its_time(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    """What it was worth is known of rows that came in the build that replaced it, too."""
    tested_to = promoted["test_to_on"]
    later = [tested_to + timedelta(days=days) for days in range(1, 7)]
    newer = promoted | {"decision_number": 2, "model_version": "v2", "test_to_on": later[-1]}
    known = visits.filter(pc.less_equal(visits["session_on"], pa.scalar(later[1])))
    first = score(shop, known, promoted)
    second = score(shop, visits, promoted, newer, past=first)
    replaced = [
        row for row in second.to_pylist() if row["model_version"] == promoted["model_version"]
    ]
    assert {row["session_on"] for row in replaced} == set(later[2:])
    assert {row["sample_role"] for row in replaced} == {"new"}
    both = pa.concat_tables([first, second])
    assert score(shop, visits, promoted, newer, past=both).num_rows == 0
    # Taken back for the earlier one, it has no rows that this one was not tested on.
    back = promoted | {"decision_number": 3}
    after = score(shop, visits, promoted, newer, back, past=both)
    assert set(after["model_version"].to_pylist()) == {promoted["model_version"]}


def test_a_new_champion_scores_so_many_days_back_as_the_setting_says(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scores = score(shop, visits, promoted, rescore_days=10)
    days = scores["session_on"].to_pylist()
    assert min(days) == promoted["test_to_on"] - timedelta(days=9)
    assert max(days) == max(visits["session_on"].to_pylist())


def test_what_a_later_day_brings_does_not_move_the_days_that_are_scored(
    shop: Shop, promoted: Row
) -> None:
    """Else old rows would fall out of the window, or into it, from one build to the next."""
    later = shop.visits(days=120)
    days = score(shop, later, promoted, rescore_days=10)["session_on"].to_pylist()
    assert min(days) == promoted["test_to_on"] - timedelta(days=9)


def test_each_serving_model_scores_each_row(shop: Shop, visits: pa.Table, promoted: Row) -> None:
    other = promoted | {"model_name": "early"}
    first = score(shop, visits, promoted, other)
    assert Counter(first["model_name"].to_pylist()) == {
        "early": visits.num_rows,
        "intent": visits.num_rows,
    }
    # A score of one model is no score of the other.
    only_early = first.filter(pa.array([n == "early" for n in first["model_name"].to_pylist()]))
    second = score(shop, visits, promoted, other, past=only_early)
    assert set(second["model_name"].to_pylist()) == {"intent"}


def test_without_a_champion_there_is_an_empty_typed_table(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    for decisions in ([], [promoted | {"is_champion": False}]):
        scores = score(shop, visits, *decisions)
        assert scores.num_rows == 0
        assert scores.schema == SCHEMA


def test_without_rows_there_is_an_empty_typed_table(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scores = score(shop, visits.slice(0, 0), promoted)
    assert scores.num_rows == 0
    assert scores.schema == SCHEMA


def test_the_size_of_a_batch_changes_no_score(
    shop: Shop, visits: pa.Table, promoted: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = score(shop, visits, promoted)
    monkeypatch.setattr(ScoreStep, "batch_rows", 64)
    cut = score(shop, visits, promoted)
    assert cut.column("score").num_chunks > 10
    assert (
        cut.combine_chunks()
        .sort_by("session_id")
        .equals(whole.combine_chunks().sort_by("session_id"))
    )


def test_the_order_of_the_features_table_changes_no_score(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    order = np.random.default_rng(1).permutation(visits.num_rows)
    shuffled = score(shop, visits.take(pa.array(order)), promoted).sort_by("session_id")
    assert shuffled.equals(score(shop, visits, promoted).sort_by("session_id"))


def test_a_feature_may_be_carried_over_beside_its_score(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    scores = score(shop, visits, promoted, carried=CARRIED | {"visitor": pa.string()})
    assert scores["visitor"].to_pylist() == visits["visitor"].to_pylist()
    assert scores["score"].to_pylist() == score(shop, visits, promoted)["score"].to_pylist()


def test_a_month_that_the_model_has_not_seen_is_scored_like_a_missing_one(
    shop: Shop, visits: pa.Table, promoted: Row
) -> None:
    """The ten newest days are in a month that came after training."""
    november = shop.with_column(visits, "month", ["Nov"] * visits.num_rows)
    unknown = shop.with_column(visits, "month", pa.nulls(visits.num_rows, pa.string()))
    assert (
        score(shop, november, promoted)["score"].to_pylist()
        == score(shop, unknown, promoted)["score"].to_pylist()
    )
