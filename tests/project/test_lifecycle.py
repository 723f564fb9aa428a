"""What a person decides about a model: taken back, held, let go; and from a score to its labels."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import DbtProject, create_dbt_project
from helpers import (
    BUILD,
    DbtWorker,
    change,
    contents,
    copy_of,
    label_lineage,
    put_raw,
    rebuilt_hash,
    rows_of,
    shop,
)

from customer_insights.sample import ShopConfig

MODEL = "purchase_intent_in_session"
TRAINED = "insights_internal.purchase_intent_trained"
RUN = (
    *BUILD,
    "--select",
    "+retraining_triggers",
    "+scored_rows",
    "+session_label_history",
    "+churn_label_history",
    "+champion_history",
)
WHO = {"who": "Ana O'Neil", "why": "it's \\'; {{ 1 / 0 }} -- \\"}


@pytest.fixture(scope="module")
def dbt(dbt_without_texts: DbtWorker) -> DbtWorker:
    return dbt_without_texts


@pytest.fixture(scope="module")
def built(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A shop with three versions of each purchase-intent model: promoted, promoted, rejected."""
    project = create_dbt_project(tmp_path_factory.mktemp("built"))
    # Sessions say themselves what came of them, and suffice for purchase intent.
    put_raw(project, {"sessions": shop(ShopConfig(scale=0.2))["sessions"]})
    dbt.run(project, *RUN)
    change(
        project,
        f"create table raw.first as select * from {TRAINED}",
        f"delete from {TRAINED}",
    )
    again = ("run_context", "purchase_intent_trained", "purchase_intent_scored")
    dbt.run(project, "run", "--select", *again, env={"RANDOM_SEED": "5"})
    change(
        project,
        f"update {TRAINED} set decision_number = 2, model_run_id = model_name || '-2', "
        "decided_at = decided_at + interval 1 second",
        f"insert into {TRAINED} select * from raw.first",
        f"insert into {TRAINED} select * replace (3 as decision_number, false as is_champion, "
        "model_name || '-3' as model_run_id, 'trained_rejected' as decision, "
        "'2020-01-01-rejected' as model_version, 'not above the constant' as reason) "
        f"from {TRAINED} where decision_number = 2",
        "drop table raw.first",
    )
    return project


@pytest.fixture
def project(built: DbtProject, tmp_path: Path) -> DbtProject:
    return copy_of(built, tmp_path)


def operation(name: str, **arguments: Any) -> tuple[str, ...]:
    return "run-operation", name, "--args", json.dumps(arguments)


def versions(project: DbtProject) -> list[str]:
    """The versions that were promoted, in their order."""
    rows = rows_of(
        project,
        f"select model_version from {TRAINED} where model_name = '{MODEL}' "
        "and decision = 'trained_promoted' order by decision_number",
    )
    return [row["model_version"] for row in rows]


def newest(project: DbtProject) -> dict[str, Any]:
    """The newest decision about the model."""
    return rows_of(
        project,
        f"select * from {TRAINED} where model_name = '{MODEL}' order by decision_number",
    )[-1]


def versions_that_scored(project: DbtProject, session_id: str) -> list[str]:
    rows = rows_of(
        project,
        "select model_version from insights.purchase_intent_scores "
        f"where model_name = '{MODEL}' and session_id = '{session_id}' order by 1",
    )
    return [row["model_version"] for row in rows]


def one_of(session_ids: list[str]) -> str:
    return "session_id in (" + ", ".join(f"'{session_id}'" for session_id in session_ids) + ")"


def add_session(project: DbtProject, session_id: str) -> None:
    """One more session, like the newest one."""
    change(
        project,
        f"insert into raw.sessions select * replace ('{session_id}' as session_id) "
        "from raw.sessions order by started_at desc, session_id limit 1",
    )


def test_a_version_is_taken_back_scores_and_is_let_go(dbt: DbtWorker, project: DbtProject) -> None:
    old, new = versions(project)
    # A build that saw the second version serve.
    dbt.run(project, "snapshot", "--select", "champion_history")
    output = dbt.run(project, *operation("rollback_model", model=MODEL, version=old, **WHO)).output
    assert f"Version {old} of {MODEL} serves from the next build on" in output
    decision = newest(project)
    assert decision["decision"] == "rolled_back"
    assert decision["decision_number"] == 4
    assert decision["model_run_id"] == f"{MODEL}-4"
    assert decision["model_version"] == old
    assert decision["is_champion"] is True
    assert decision["artifact"] is None
    assert decision["roc_auc"] is None
    assert decision["reason"] == f"rolled back from {new} by {WHO['who']}: {WHO['why']}"

    add_session(project, "later-1")
    dbt.run(project, *RUN)
    assert versions_that_scored(project, "later-1") == [old]
    held = newest(project)
    assert (held["decision"], held["model_version"]) == ("pinned", old)
    assert WHO["why"] in held["reason"]
    assert "age" in {trigger["name"] for trigger in json.loads(held["triggers"])}

    dbt.run(project, *operation("unpin_model", model=MODEL, **WHO))
    assert newest(project)["decision"] == "unpinned"
    add_session(project, "later-2")
    dbt.run(project, *RUN)
    free = newest(project)
    assert (free["decision"], free["decision_number"]) == ("kept", 7)
    assert versions_that_scored(project, "later-2") == [old]
    (triggers,) = rows_of(
        project,
        "select count(*) as told, count(distinct decision_number) as decisions, "
        "count(*) filter (where was_answered) as answered "
        f"from insights.retraining_triggers where model_name = '{MODEL}'",
    )
    # Decisions of a person have no triggers.
    assert triggers["decisions"] == 5
    assert triggers["told"] == sum(
        len(json.loads(row["triggers"]))
        for row in rows_of(project, f"select triggers from {TRAINED} where model_name = '{MODEL}'")
        if row["triggers"]
    )
    history = rows_of(
        project,
        "select model_version, dbt_valid_from, dbt_valid_to from "
        f"insights_history.champion_history where model_name = '{MODEL}' order by dbt_valid_from",
    )
    assert [row["model_version"] for row in history] == [old, new, old]
    since = [row["dbt_valid_from"] for row in history]
    assert [row["dbt_valid_to"] for row in history] == [*since[1:], None]
    assert since == sorted(set(since))
    # The other model of the task went on by itself.
    (other,) = rows_of(
        project,
        f"select max(decision_number) as n from {TRAINED} where model_name <> '{MODEL}'",
    )
    assert other["n"] == 5


def test_what_serves_is_pinned_once(dbt: DbtWorker, project: DbtProject) -> None:
    pin = operation("pin_model", model=MODEL, **WHO)
    dbt.run(project, *pin)
    decision = newest(project)
    assert decision["decision"] == "pinned"
    assert decision["model_version"] == versions(project)[1]
    before = contents(project)
    again = dbt.run(project, *pin, check=False)
    assert again.exit_code != 0
    assert "is pinned already (decision 4: pinned by Ana O'Neil" in again.output
    assert contents(project) == before


def test_what_cannot_be_done_is_refused_with_one_sentence(
    dbt: DbtWorker, built: DbtProject, project: DbtProject
) -> None:
    old, new = versions(built)
    before = contents(project)
    rollback = {"model": MODEL, "version": old, **WHO}
    for name, arguments, sentence in [
        ("rollback_model", rollback | {"model": "churns"}, "There is no model 'churns'; the"),
        ("rollback_model", rollback | {"version": "v9"}, f"has no version 'v9'; its versions are "
         f"2020-01-01-rejected (rejected), {new} (serves), {old} (promoted)."),
        ("rollback_model", rollback | {"version": "2020-01-01-rejected"},
         "was never promoted (not above the constant), so it may not serve"),
        ("rollback_model", rollback | {"version": new}, "serves already; to hold it"),
        ("rollback_model", rollback | {"who": " \n"}, "`who` is missing"),
        ("pin_model", {"model": MODEL, "who": "Ana"}, "`why` is missing"),
        ("pin_model", {"model": MODEL, "who": "Ana", "why": "x" * 501}, "501 characters"),
        ("unpin_model", {"model": MODEL, **WHO}, f"No version of {MODEL} is pinned."),
        ("pin_model", {"model": "review_sentiment", **WHO}, "Only the text engine embedded"),
    ]:  # fmt: skip
        refused = dbt.run(project, *operation(name, **arguments), check=False)
        assert refused.exit_code != 0
        assert sentence in refused.output, refused.output
        assert refused.output.endswith("."), refused.output
        assert "Traceback" not in refused.output
    assert contents(project) == before


@pytest.mark.parametrize(
    ("statement", "env", "sentence"),
    [
        (
            "create or replace view insights.session_features as "
            "select * exclude (page_load_time_ms) from insights_internal.session_features_computed",
            {},
            "uses page_load_time_ms, which insights.session_features no longer has",
        ),
        (
            "delete from insights_internal.model_features where feature = 'page_load_time_ms'",
            {},
            "uses page_load_time_ms, which model_catalog.csv or feature_catalog.csv no longer",
        ),
        (
            "update insights_internal.run_context set session_label_hours = 48",
            {},
            "it learned a label with session_label_hours 24, which is 48 now",
        ),
        (
            f"update {TRAINED} set artifact = artifact || '\\x00'::blob where decision_number = 1",
            {},
            "its stored model was changed after it was written",
        ),
    ],
    ids=["feature gone", "feature not allowed", "another label", "damaged"],
)
def test_a_version_that_cannot_serve_does_not_come_back(
    dbt: DbtWorker, project: DbtProject, statement: str, env: dict[str, str], sentence: str
) -> None:
    change(project, statement)
    before = contents(project)
    call = operation("rollback_model", model=MODEL, version=versions(project)[0], **WHO)
    refused = dbt.run(project, *call, env=env, check=False)
    assert refused.exit_code != 0
    assert sentence in refused.output, refused.output
    assert contents(project) == before


def test_a_training_set_is_rebuilt_from_the_labels_of_its_day(
    dbt: DbtWorker, project: DbtProject
) -> None:
    log = f"select * from {TRAINED} where model_name = '{MODEL}' and decision_number = 1"
    (decision,) = rows_of(project, log)
    known = [
        row["session_id"]
        for row in rows_of(
            project,
            "select session_id from insights_history.session_label_history "
            "where label_source = 'recorded' and session_id in (select session_id "
            "from insights.purchase_intent_scores where sample_role = 'in_sample') "
            "order by session_id limit 35",
        )
    ]
    changed, gone = known[:30], known[30:]
    assert len(gone) == 5
    change(
        project,
        # What has no history: the features of a session go with it.
        "create table features_then as select * from insights.session_features",
        f"update raw.sessions set is_purchase = not is_purchase where {one_of(changed)}",
        f"delete from raw.sessions where {one_of(gone)}",
    )
    dbt.run(project, *BUILD, "--select", "+session_label_history")
    lineage = label_lineage(dbt, project)

    def rebuilt(value: str) -> str:
        then = ("features_then", ["session_id"], "is_purchase")
        return rebuilt_hash(project, lineage, decision, *then, value)

    assert rebuilt("is_positive") == decision["training_set_hash"]
    assert rebuilt("is_positive_now") != decision["training_set_hash"]
    rows = rows_of(
        project,
        f"select * from ({lineage}) where model_name = '{MODEL}' and decision_number = 1 "
        "and is_changed order by entity_id",
    )
    assert [row["entity_id"] for row in rows] == known
    assert all(row["source_row_key"] == row["entity_id"] for row in rows)
    assert all(row["is_positive"] is not row["is_positive_now"] for row in rows)
    assert [row["entity_id"] for row in rows if row["is_positive_now"] is None] == gone

    output = dbt.run(
        project, *operation("print_label_lineage", model=MODEL, entity=changed[0], labels=3)
    ).output
    assert decision["training_set_hash"] in output
    assert "35 changed since" in output
    assert f"{MODEL} scored {changed[0]} as of" in output
    assert "definition 1, source row" in output
    for arguments, sentence in [
        ({"model": MODEL, "entity": "nobody'"}, "has not scored 'nobody''"),
        ({"model": "product_recommendations", "entity": "x"}, "have no history"),
        ({"model": MODEL, "entity": "x", "labels": "3; drop"}, "it must be a whole number"),
        ({"model": MODEL, "entity": "x", "as_of": "today"}, "it must be a day like"),
    ]:
        refused = dbt.run(project, *operation("print_label_lineage", **arguments), check=False)
        assert refused.exit_code != 0
        assert sentence in refused.output, refused.output

    # A version that is trained now has no label of a session that is gone.
    change(
        project,
        f"insert into {TRAINED} select * replace (4 as decision_number, "
        "(select run_started_at from insights_internal.run_context) as decided_at) "
        f"from ({log})",
    )
    learned = [
        {
            row["entity_id"]
            for row in rows_of(
                project,
                f"select entity_id from ({lineage}) where model_name = '{MODEL}' "
                f"and decision_number = {number}",
            )
        }
        for number in (1, 4)
    ]
    assert learned[0] - learned[1] == set(gone)
    assert learned[1] < learned[0]
