"""What the registry of models is asked to do, and what a killed build leaves to the next one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_insights.registry import (
    Action,
    RegisteredVersion,
    RegistryError,
    TrainedVersion,
    is_described,
    plan_actions,
    read_trained_versions,
    registered_version,
    registry_model_name,
    registry_version_name,
)

if TYPE_CHECKING:
    from conftest import Shop

    from customer_insights.training import Row

SHA = "ab" * 32


def trained(
    name: str, number: int, *, serves: bool = False, model: str = "intent", named: int | None = None
) -> TrainedVersion:
    return TrainedVersion(
        model_name=model,
        model_version=name,
        decision_number=number,
        last_named_number=number if named is None else named,
        is_serving=serves,
        facts={"artifact_sha256": SHA, "pr_auc": 0.5},
    )


def registered(
    version: TrainedVersion, *, default: bool = False, in_use: bool = False
) -> RegisteredVersion:
    return RegisteredVersion(version.key, default, in_use, version.facts, None)


def kinds(actions: Sequence[Action]) -> list[tuple[str, str]]:
    return [(action.kind, action.version.model_version) for action in actions]


def carried_out(
    held: Sequence[RegisteredVersion], actions: Sequence[Action]
) -> list[RegisteredVersion]:
    """What a registry holds after some actions, by the rules that Snowflake's pages state."""
    now = {version.key: version for version in held}
    for action in actions:
        key = action.version.key
        siblings = [version for version in now.values() if version.key[0] == key[0]]
        if action.kind == "logged":
            assert key not in now, "a version is logged once"
            now[key] = registered(action.version, default=not siblings)
        elif action.kind == "described":
            now[key] = replace(now[key], facts=action.version.facts)
        elif action.kind == "made_default":
            assert key in now, "a default has to be there"
            for version in siblings:
                now[version.key] = replace(version, is_default=version.key == key)
        else:
            assert not now[key].is_default, "a default cannot be dropped"
            del now[key]
    return list(now.values())


def test_a_version_is_named_as_an_identifier_in_upper_case() -> None:
    assert registry_version_name("2024-12-30-2a189e33") == "V2024_12_30_2A189E33"
    assert registry_model_name("purchase_intent_in_session") == "PURCHASE_INTENT_IN_SESSION"


@pytest.mark.parametrize("name", ["3 days", "intent;drop", "", "x" * 256, "büro"])
def test_a_model_that_snowflake_cannot_name_is_refused(name: str) -> None:
    with pytest.raises(RegistryError, match=r"model_catalog\.csv"):
        registry_model_name(name)


def test_the_first_champion_is_logged_first_and_so_becomes_the_default() -> None:
    refused, champion = trained("a", 1), trained("b", 2, serves=True)
    actions = plan_actions([refused, champion], [], keep=5)
    assert kinds(actions) == [("logged", "b"), ("logged", "a")]
    held = carried_out([], actions)
    assert [version.key[1] for version in held if version.is_default] == ["VB"]


def test_a_model_of_which_no_version_serves_is_not_registered() -> None:
    assert plan_actions([trained("a", 1), trained("b", 2)], [], keep=5) == []


def test_with_nothing_new_nothing_is_done() -> None:
    log = [trained("a", 1), trained("b", 2, serves=True)]
    held = [registered(log[0]), registered(log[1], default=True)]
    assert plan_actions(log, held, keep=5) == []


def test_a_new_champion_is_logged_and_moves_the_default_before_anything_else() -> None:
    old, refused, new = trained("a", 1), trained("b", 2), trained("c", 3, serves=True)
    actions = plan_actions([old, refused, new], [registered(old, default=True)], keep=5)
    assert kinds(actions) == [("logged", "c"), ("made_default", "c"), ("logged", "b")]


def test_a_rollback_moves_the_default_back() -> None:
    old, new = trained("a", 1, serves=True, named=3), trained("b", 2)
    held = [registered(old), registered(new, default=True)]
    assert kinds(plan_actions([old, new], held, keep=5)) == [("made_default", "a")]


def test_a_rollback_to_an_expired_version_logs_it_again() -> None:
    old, new = trained("a", 1, serves=True, named=3), trained("b", 2)
    actions = plan_actions([old, new], [registered(new, default=True)], keep=1)
    assert kinds(actions) == [("logged", "a"), ("made_default", "a")]


def test_the_retired_versions_that_were_named_last_are_kept() -> None:
    log = [
        trained("a", 1, named=9),  # served for long
        trained("b", 2),
        trained("c", 3),
        trained("d", 10, serves=True),
    ]
    held = [registered(each) for each in log[:-1]] + [registered(log[-1], default=True)]
    assert kinds(plan_actions(log, held, keep=2)) == [("dropped", "b")]
    assert kinds(plan_actions(log, held, keep=0)) == [
        ("dropped", "a"),
        ("dropped", "c"),
        ("dropped", "b"),
    ]


def test_an_expired_version_is_not_logged_again() -> None:
    log = [trained("a", 1), trained("b", 2), trained("c", 3, serves=True)]
    held = [registered(log[1]), registered(log[2], default=True)]
    assert plan_actions(log, held, keep=1) == []


def test_a_version_that_somebody_uses_does_not_expire() -> None:
    log = [trained("a", 1), trained("b", 2, serves=True)]
    held = [registered(log[0], in_use=True), registered(log[1], default=True)]
    assert plan_actions(log, held, keep=0) == []


def test_a_version_that_the_log_does_not_know_is_left_alone_but_does_not_answer() -> None:
    champion, foreign = trained("a", 1, serves=True), trained("made_by_hand", 9)
    held = [registered(foreign, default=True), registered(champion)]
    assert kinds(plan_actions([champion], held, keep=0)) == [("made_default", "a")]


def test_a_version_without_its_description_is_described() -> None:
    champion = trained("a", 1, serves=True)
    held = [replace(registered(champion, default=True), facts={})]
    assert kinds(plan_actions([champion], held, keep=0)) == [("described", "a")]


def test_a_version_is_looked_at_before_it_becomes_the_default() -> None:
    old, new = trained("a", 1), trained("b", 2, serves=True)
    held = [registered(old, default=True), replace(registered(new), facts={})]
    actions = plan_actions([old, new], held, keep=1)
    assert kinds(actions) == [("described", "b"), ("made_default", "b")]


def test_models_do_not_expire_one_another() -> None:
    log = [
        trained("a", 1, serves=True),
        trained("b", 2, model="early"),
        trained("a", 3, serves=True, model="early"),
    ]
    held = [
        registered(log[0], default=True),
        registered(log[1]),
        registered(log[2], default=True),
    ]
    assert plan_actions(log, held, keep=1) == []


@given(
    served=st.lists(st.integers(0, 5), max_size=8),
    count=st.integers(1, 6),
    keep=st.integers(0, 4),
    stops=st.lists(st.integers(0, 12), max_size=4),
    aliased=st.sets(st.integers(0, 5)),
)
def test_a_build_that_is_killed_anywhere_is_completed_by_the_next(
    served: list[int], count: int, keep: int, stops: list[int], aliased: set[int]
) -> None:
    """Versions are trained one after the other, and the log names them now and then."""
    champion = served[-1] % count if served else None
    log = [
        trained(
            f"v{place}",
            place,
            serves=place == champion,
            named=max([10 + n for n, each in enumerate(served) if each % count == place] + [place]),
        )
        for place in range(count)
    ]
    held: list[RegisteredVersion] = []
    for stop in stops:
        held = carried_out(held, plan_actions(log, held, keep)[:stop])
        held = [
            replace(each, is_in_use=int(each.key[1].removeprefix("VV")) in aliased) for each in held
        ]
    held = carried_out(held, plan_actions(log, held, keep))
    assert plan_actions(log, held, keep) == []
    if champion is None:
        assert held == []
    else:
        assert [each.key for each in held if each.is_default] == [log[champion].key]
        retired = [each for each in held if not each.is_default and not each.is_in_use]
        assert len(retired) <= keep


def test_the_log_is_read_with_what_serves_and_what_was_named_last(
    shop: Shop, promoted: Row
) -> None:
    refused = promoted | {
        "decision_number": 2,
        "model_version": "v2",
        "decision": "trained_rejected",
        "is_champion": False,
    }
    kept = promoted | {
        "decision_number": 3,
        "decision": "kept",
        "artifact": None,
        "artifact_sha256": None,
    }
    champion, other = read_trained_versions(shop.log(promoted, refused, kept))
    assert (champion.model_version, champion.is_serving) == (promoted["model_version"], True)
    assert (champion.decision_number, champion.last_named_number) == (1, 3)
    assert (other.is_serving, other.decision_number, other.last_named_number) == (False, 2, 2)


def test_a_rolled_back_version_serves(shop: Shop, promoted: Row) -> None:
    newer = promoted | {"decision_number": 2, "model_version": "v2"}
    back = promoted | {
        "decision_number": 3,
        "decision": "rolled_back",
        "artifact": None,
        "artifact_sha256": None,
    }
    found = read_trained_versions(shop.log(promoted, newer, back))
    assert [version.is_serving for version in found] == [True, False]


def test_the_same_trees_trained_twice_are_one_version_of_the_newest_decision(
    shop: Shop, promoted: Row
) -> None:
    (version,) = read_trained_versions(shop.log(promoted, promoted | {"decision_number": 7}))
    assert version.decision_number == 7


def test_an_empty_log_has_no_versions(shop: Shop) -> None:
    assert read_trained_versions(shop.log()) == []


def test_a_log_that_lost_the_model_that_serves_is_reported(shop: Shop, promoted: Row) -> None:
    lost = promoted | {"artifact": None, "artifact_sha256": None}
    with pytest.raises(RegistryError, match="restore the table"):
        read_trained_versions(shop.log(lost))


def test_two_versions_with_one_name_in_the_registry_are_reported(shop: Shop, promoted: Row) -> None:
    log = shop.log(
        promoted | {"model_version": "2024-01"},
        promoted | {"model_version": "2024_01", "decision_number": 2},
    )
    with pytest.raises(RegistryError, match="V2024_01"):
        read_trained_versions(log)


def test_the_facts_of_a_version_are_its_metrics_parameters_windows_and_hashes(
    shop: Shop, promoted: Row
) -> None:
    (version,) = read_trained_versions(shop.log(promoted | {"brier": float("nan")}))
    facts = version.facts
    assert facts["pr_auc"] == promoted["pr_auc"]
    assert facts["parameters"] == json.loads(promoted["parameters"])
    assert facts["feature_names"] == json.loads(promoted["feature_names"])
    assert facts["training_set_hash"] == promoted["training_set_hash"]
    assert facts["artifact_sha256"] == promoted["artifact_sha256"]
    assert facts["train_to_on"] == "2024-01-30"
    assert facts["decided_at"] == "2025-01-01T06:30:00"
    # JSON has no number that is none, and free text is not repeated.
    assert not {"brier", "lead_over_champion", "reason", "artifact"} & set(facts)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def described(stored: dict[str, Any], expected: dict[str, Any]) -> bool:
    version = replace(trained("a", 1), facts=expected)
    return is_described(version, replace(registered(version), facts=stored))


def test_a_description_may_say_more_and_print_numbers_in_its_own_way() -> None:
    assert described(
        {"a": 0.1 + 1e-17, "b": {"c": [1.0, "x"]}, "d": 9}, {"a": 0.1, "b": {"c": [1, "x"]}}
    )


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"a": 0.2, "b": {"c": [1, "x"]}},
        {"a": 0.1, "b": {"c": [1]}},
        {"a": 0.1, "b": {"c": [1, "x"], "e": 1}},
        {"a": "0.1", "b": {"c": [1, "x"]}},
    ],
)
def test_a_description_that_says_less_or_something_else_is_seen(stored: dict[str, Any]) -> None:
    assert not described(stored, {"a": 0.1, "b": {"c": [1, "x"]}})


def shown(**changed: Any) -> dict[str, Any]:
    return {
        "created_on": datetime(2025, 1, 1, 8, 30, tzinfo=timezone(timedelta(hours=2))),
        "name": "VA",
        "aliases": '["DEFAULT", "FIRST", "LAST"]',
        "is_default_version": "true",
        "metadata": '{"metrics": {"pr_auc": 0.5}}',
        "inference_services": "[]",
    } | changed


def test_a_shown_version_is_read_as_the_page_describes_it() -> None:
    found = registered_version("INTENT", shown())
    assert found == RegisteredVersion(
        ("INTENT", "VA"), True, False, {"pr_auc": 0.5}, datetime(2025, 1, 1, 6, 30)
    )


def test_an_alias_or_a_service_of_somebody_keeps_a_version() -> None:
    assert registered_version("INTENT", shown(aliases='["LAST", "CANARY"]')).is_in_use
    assert registered_version("INTENT", shown(inference_services='["DB.S.SCORER"]')).is_in_use


def test_columns_that_an_account_does_not_show_yet_are_empty() -> None:
    row = shown(is_default_version=False, metadata=None)
    del row["aliases"], row["inference_services"]
    found = registered_version("INTENT", row)
    assert (found.is_default, found.is_in_use, found.facts) == (False, False, {})
