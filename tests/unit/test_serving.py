"""Which version serves, and what a row was to it when it was made."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from customer_insights.errors import ArtifactError
from customer_insights.serving import ServingModel, serving_models

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row

# What a decision that trained nothing has of one.
WITHOUT_MODEL = {"artifact": None, "artifact_sha256": None}


@pytest.fixture
def served(shop: Shop, promoted: Row) -> ServingModel:
    (found,) = serving_models(shop.log(promoted))
    return found


def role(served: ServingModel, *days: date) -> list[str]:
    roles: list[str] = served.sample_role(pa.array(days, pa.date32())).to_pylist()
    return roles


def test_the_promoted_version_serves_with_its_model_and_windows(
    served: ServingModel, promoted: Row, shop: Shop
) -> None:
    assert served.model_name == "intent"
    assert served.model_version == promoted["model_version"]
    assert served.model.threshold == promoted["threshold"]
    assert (served.train_to_on, served.validation_to_on, served.test_to_on) == (
        date(2024, 1, 30),
        date(2024, 2, 14),
        date(2024, 2, 29),
    )


def test_a_role_ends_on_the_last_day_of_its_window(served: ServingModel) -> None:
    day = timedelta(days=1)
    for last, within, after in (
        (served.train_to_on, "in_sample", "validation"),
        (served.validation_to_on, "validation", "test"),
        (served.test_to_on, "test", "new"),
    ):
        assert role(served, last, last + day) == [within, after]


def test_days_between_two_windows_are_purged(served: ServingModel) -> None:
    day = timedelta(days=1)
    apart = replace(
        served,
        validation_from_on=served.validation_from_on + 2 * day,
        test_from_on=served.test_from_on + day,
    )
    assert role(apart, apart.train_to_on, apart.train_to_on + day) == ["in_sample", "purged"]
    assert role(apart, apart.validation_from_on - day) == ["purged"]
    assert role(apart, apart.validation_from_on, apart.validation_to_on) == ["validation"] * 2
    assert role(apart, apart.test_from_on - day, apart.test_from_on) == ["purged", "test"]


def test_what_is_older_than_the_training_rows_is_in_sample_not_new(served: ServingModel) -> None:
    assert role(served, date(1999, 1, 1)) == ["in_sample"]


def test_no_days_have_no_roles(served: ServingModel) -> None:
    assert role(served) == []


def test_windows_without_a_day_between_them_give_every_day_one_role(served: ServingModel) -> None:
    day = timedelta(days=1)
    same = replace(
        served,
        validation_from_on=served.train_to_on + day,
        validation_to_on=served.train_to_on,
        test_from_on=served.train_to_on + day,
    )
    assert role(same, served.train_to_on, served.train_to_on + day) == ["in_sample", "test"]


def test_so_many_days_are_scored_as_the_setting_says_the_newest_test_day_included(
    served: ServingModel,
) -> None:
    assert served.scored_from(1) == served.test_to_on
    assert served.scored_from(30) == served.test_to_on - timedelta(days=29)


def test_the_champion_of_the_newest_decision_serves_however_the_log_is_ordered(
    shop: Shop, promoted: Row
) -> None:
    newer = promoted | {"decision_number": 2, "model_version": "v2"}
    kept = newer | {"decision_number": 3, "decision": "kept"} | WITHOUT_MODEL
    for decisions in ([promoted, newer, kept], [kept, newer, promoted]):
        (found,) = serving_models(shop.log(*decisions))
        assert found.model_version == "v2"


def test_a_champion_named_again_after_another_serves_again(shop: Shop, promoted: Row) -> None:
    newer = promoted | {"decision_number": 2, "model_version": "v2"}
    back = promoted | {"decision_number": 3, "decision": "rolled_back"} | WITHOUT_MODEL
    (found,) = serving_models(shop.log(promoted, newer, back))
    assert found.model_version == promoted["model_version"]


def test_a_refused_version_does_not_serve_and_leaves_the_champion_in_place(
    shop: Shop, promoted: Row
) -> None:
    refused = promoted | {
        "decision_number": 2,
        "model_version": "v2",
        "decision": "trained_rejected",
        "is_champion": False,
    }
    (found,) = serving_models(shop.log(promoted, refused))
    assert found.model_version == promoted["model_version"]


def test_models_serve_side_by_side_and_one_without_a_champion_is_left_out(
    shop: Shop, promoted: Row
) -> None:
    other = promoted | {"model_name": "early"}
    refused = promoted | {"model_name": "noisy", "is_champion": False}
    found = serving_models(shop.log(promoted, refused, other))
    assert [each.model_name for each in found] == ["early", "intent"]


def test_an_empty_log_serves_nothing(shop: Shop) -> None:
    assert serving_models(shop.log()) == []


def test_a_stored_model_that_was_changed_does_not_serve(shop: Shop, promoted: Row) -> None:
    changed = bytearray(promoted["artifact"])
    changed[100] ^= 1
    with pytest.raises(ArtifactError, match=promoted["artifact_sha256"]):
        serving_models(shop.log(promoted | {"artifact": bytes(changed)}))
