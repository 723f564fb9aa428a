"""Features, windows, labels and stored models gone wrong: what monitoring says, what is refused."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import BUILD, DbtWorker, change, contents, copy_of, put_raw, rows_of, shop

from customer_insights.progress import sentence_of
from customer_insights.sample import ShopConfig

MODEL = "purchase_intent_after_session"
TRAINED = "insights_internal.purchase_intent_trained"
MONITORED = (*BUILD, "--select", "+path:models/monitoring", "+session_label_history")
# What later sessions and orders change of it.
CHANGED = (
    *BUILD,
    "--select",
    "run_context",
    "checked_sessions",
    "checked_orders",
    "source_watermarks",
    "session_labels_computed",
    "session_features_computed",
    "purchase_intent_trained",
    "purchase_intent_scored",
    "session_label_history",
    "feature_drift_history",
    "data_quality_counted",
    "path:models/monitoring/internal",
)
DECIDED = (*BUILD, "--select", "run_context", "purchase_intent_trained", "purchase_intent_scored")
# The shop ends with 2024. January has no session, February's outcomes come from orders, March's
# never come.
ORDERED, UNTOLD = "2025-02-01", "2025-03-01"
# Where `flipped` has sessions in January, they end as those of December did.
LIKE_BEFORE = "2025-01-01"
# Features that were nothing to learn from, and wake up in half of February's rows.
ASLEEP = {"special_day": "0", "page_load_time_ms": "null", "browser": "2"}
AWAKE = {"special_day": "0.8", "page_load_time_ms": "300", "browser": "7", "traffic_type": "99"}


def assigned(values: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def shifted(month: str, days: int) -> str:
    """December's sessions once more, so many days later and without an outcome."""
    return (
        f"insert into raw.sessions select * replace ('{month}-' || session_id as session_id, "
        f"started_at + interval {days} day as started_at, "
        f"loaded_at + interval {days} day as loaded_at, null as is_purchase) "
        "from raw.sessions where started_at >= '2024-12-01' and started_at < '2024-12-27'"
    )


def ordered(condition: str) -> str:
    """An order an hour after each of these sessions."""
    return (
        "insert into raw.orders by name select session_id as order_id, 'c1' as customer_id, "
        "session_id, started_at + interval 1 hour as ordered_at, 'placed' as status, loaded_at "
        f"from raw.sessions where {condition}"
    )


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWorker]:
    # Nothing scores texts: this is about models. The shop is small, and its visitors come again.
    settings = {"TEXT_ENGINE": "none", "DRIFT_MIN_ROWS": "40"}
    worker = DbtWorker(tmp_path_factory.mktemp("dbt"), **settings)
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def trained(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A shop whose sleeping features a model was trained with."""
    project = create_dbt_project(tmp_path_factory.mktemp("trained"))
    tables = shop(ShopConfig(scale=0.2))
    put_raw(
        project,
        {"sessions": tables["sessions"], "orders": tables["orders"].slice(0, 0)},
        f"update raw.sessions set {assigned(ASLEEP)}",
    )
    dbt.run(project, *MONITORED)
    return project


@pytest.fixture(scope="module")
def built(
    dbt: DbtWorker, trained: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> DbtProject:
    """The same shop, and what came later."""
    project = copy_of(trained, tmp_path_factory.mktemp("built"))
    change(
        project,
        shifted("feb", 62),
        shifted("mar", 90),
        f"update raw.sessions set {assigned(AWAKE)} where session_id in (select session_id from "
        "(select session_id, row_number() over (order by session_id) as place from raw.sessions "
        "where session_id like 'feb-%') where place % 2 = 0)",
        # Not of the last day: orders reach no further than sessions, also without those of March.
        ordered(
            "session_id like 'feb-%' and day(started_at) < 26 and product_related_duration > ("
            "select quantile_cont(product_related_duration, 0.5) from raw.sessions "
            "where session_id like 'feb-%')"
        ),
        # What the model takes for a purchase, on most days.
        "update raw.sessions set page_values = 60 "
        "where session_id like 'mar-%' and day(started_at) % 4 <> 0",
    )
    dbt.run(project, *CHANGED)
    return project


def monitored(project: DbtProject, table: str, condition: str = "true") -> list[dict[str, Any]]:
    """Rows about the model, by window."""
    return rows_of(
        project,
        f"select * from insights.{table} where model_name = '{MODEL}' and {condition} "
        "order by window_start_on",
    )


def of_feature(project: DbtProject, name: str, window: str) -> dict[str, Any]:
    (row,) = monitored(
        project, "feature_drift", f"column_name = '{name}' and window_start_on = '{window}'"
    )
    return row


def test_a_feature_that_says_nothing_does_not_drift(trained: DbtProject) -> None:
    names = ", ".join(f"'{name}'" for name in ASLEEP)
    rows = monitored(trained, "feature_drift", f"column_name in ({names}) and current_rows >= 200")
    assert {row["column_name"] for row in rows} == set(ASLEEP)
    assert {(row["psi"], row["is_drifted"], row["unseen_share"]) for row in rows} == {(0, False, 0)}


@pytest.mark.parametrize("name", AWAKE)
def test_a_feature_that_wakes_up_has_drifted(built: DbtProject, name: str) -> None:
    row = of_feature(built, name, ORDERED)
    assert row["is_drifted"]
    assert row["psi"] > row["psi_threshold"]
    is_category = name in ("browser", "traffic_type")
    assert row["unseen_share"] == pytest.approx(0.5 if is_category else 0, abs=0.01)
    if name == "page_load_time_ms":
        assert row["reference_missing_share"] == 1
        assert row["missing_share"] == pytest.approx(0.5, abs=0.01)


def test_scores_and_labels_that_shift_have_drifted(built: DbtProject) -> None:
    """Half of February's sessions led to an order, and most of March's have a high page value."""
    for table, shifted_in in (("prediction_drift", UNTOLD), ("label_drift", ORDERED)):
        rows = monitored(built, table, "current_rows >= 200")
        (row,) = (row for row in rows if str(row["window_start_on"]) == shifted_in)
        assert row["is_drifted"], table
        assert row["psi"] > row["psi_threshold"] > 0, table
        before = [row for row in rows if row["window_start_on"].year == 2024]
        assert before, table
        assert [row["is_drifted"] for row in before] == [False] * len(before), table


def test_a_shift_to_where_the_version_erred_most_is_an_alert_that_names_the_feature(
    built: DbtProject,
) -> None:
    """Half of March's sessions moved to a high page value. Other features moved and cost little."""
    ((profile,),) = built.query(
        f"select profile from {TRAINED} where model_name = '{MODEL}' and profile is not null"
    )
    errors = [
        each["test_squared_error"] / each["test_rows"]
        for each in json.loads(profile)
        if each["column_name"] == "has_page_value" and each["test_rows"]
    ]
    assert errors[1] == max(errors) > 3 * min(errors)

    raised = rows_of(
        built,
        "select subject, model_name, value, threshold, message, window_end_on from insights.alerts "
        "where kind = 'costly_drift' order by subject",
    )
    assert [row["subject"] for row in raised] == [
        f"{MODEL}.has_page_value",
        f"{MODEL}.page_values",
    ]
    for row in raised:
        drift = of_feature(built, row["subject"].removeprefix(f"{MODEL}."), UNTOLD)
        assert (row["model_name"], row["window_end_on"]) == (MODEL, drift["window_end_on"])
        assert row["value"] == drift["brier_change_low"] > row["threshold"] > 0
        assert f"{drift['brier_change']:.3f} larger" in row["message"]
    drifted = monitored(built, "feature_drift", f"is_drifted and window_start_on = '{UNTOLD}'")
    assert {row["column_name"] for row in drifted} > {"has_page_value", "page_values"}


def test_categories_that_were_never_seen_are_scored(built: DbtProject) -> None:
    assert built.query(
        "select count(*) = count(score), min(score) >= 0, max(score) <= 1, count(*) = "
        "(select count(*) from raw.sessions where traffic_type = 99) from "
        "insights.purchase_intent_scores inner join insights.session_features using (session_id) "
        f"where traffic_type = 99 and model_name = '{MODEL}'"
    ) == [(True, True, True, True)]


def test_no_measure_is_infinite_or_not_a_number(built: DbtProject) -> None:
    looked_at = 0
    with duckdb.connect(str(built.database), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'insights' and data_type = 'DOUBLE' and table_name in "
            "('feature_drift', 'prediction_drift', 'label_drift', 'model_performance', "
            "'slice_performance', 'score_calibration')"
        ).fetchall()
        for table, column in columns:
            counted = f"select count({column}), count(*) filter (not isfinite({column}))"
            ((known, wrong),) = connection.execute(f"{counted} from insights.{table}").fetchall()
            assert wrong == 0, (table, column)
            looked_at += known
    assert looked_at > 1000


def test_a_window_without_rows_is_told_by_its_volume_and_measures_nothing(
    built: DbtProject,
) -> None:
    january = "window_start_on = '2025-01-01'"
    for table in ("feature_drift", "prediction_drift", "model_performance"):
        assert monitored(built, table, january) == []
        assert monitored(built, table, f"window_start_on = '{ORDERED}'")
    (volume,) = rows_of(
        built,
        "select value, is_failing from insights.data_quality "
        f"where check_name = 'volume' and subject = 'sessions' and {january}",
    )
    assert volume == {"value": 0, "is_failing": True}


def test_where_labels_never_arrive_there_is_no_metric_and_no_alarm(built: DbtProject) -> None:
    (performance,) = monitored(built, "model_performance", f"window_start_on = '{UNTOLD}'")
    assert performance["scored_rows"] > 200
    assert performance["matured_rows"] == 0
    measures = ("roc_auc", "pr_auc", "f1", "brier", "observed_rate", "primary_high", "fall_low")
    measures += ("has_fallen",)
    assert [performance[name] for name in measures] == [None] * len(measures)
    # What scores say of themselves needs no label.
    assert 0.5 < performance["estimated_roc_auc"] < 1
    for row in monitored(built, "label_drift", f"window_start_on = '{UNTOLD}'"):
        assert (row["current_rows"], row["psi"], row["is_drifted"]) == (0, None, None)
    assert monitored(
        built, "slice_performance", f"window_start_on = '{UNTOLD}' and is_harmful is not null"
    ) == []  # fmt: skip
    raised = built.query(
        "select kind from insights.alerts where window_end_on > '2025-03-01' "
        "and kind in ('fallen_performance', 'miscalibrated_slice')"
    )
    assert raised == []


@dataclass(frozen=True)
class Flipped:
    """The shop after one of February's orders was removed and two came; March's sessions went.

    All of February's sessions have the browser that training had, and January has sessions.
    """

    project: DbtProject
    cancelled: str
    bought: list[str]


@pytest.fixture(scope="module")
def flipped(dbt: DbtWorker, built: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Flipped:
    project = copy_of(built, tmp_path_factory.mktemp("flipped"))
    mature = "insights.session_labels where session_id like 'feb-%' and is_purchase"
    ((cancelled,),) = project.query(f"select min(session_id) from {mature}")
    bought = [
        session_id
        for (session_id,) in project.query(
            f"select session_id from {mature} = false order by 1 limit 2"
        )
    ]
    change(
        project,
        f"delete from raw.orders where session_id = '{cancelled}'",
        ordered(f"session_id in ('{bought[0]}', '{bought[1]}')"),
        "delete from raw.sessions where session_id like 'mar-%'",
        "update raw.sessions set browser = 2 where session_id like 'feb-%'",
        shifted("jan", 31),
        ordered("session_id in (select 'jan-' || session_id from raw.sessions where is_purchase)"),
    )
    # January is for the version that is watched, not to learn from.
    dbt.run(project, *CHANGED, "--exclude", "purchase_intent_trained")
    return Flipped(project, cancelled, bought)


def test_a_label_that_flips_keeps_both_values_and_the_newest_is_measured(
    built: DbtProject, flipped: Flipped
) -> None:
    history = flipped.project.query(
        "select session_id, list(is_purchase order by dbt_valid_from) from "
        "insights_history.session_label_history group by all having count(*) > 1"
    )
    assert dict(history) == {flipped.cancelled: [True, False]} | {
        session_id: [False, True] for session_id in flipped.bought
    }
    february = f"window_start_on = '{ORDERED}'"
    (before,) = monitored(built, "model_performance", february)
    (after,) = monitored(flipped.project, "model_performance", february)
    assert after["matured_rows"] == before["matured_rows"]
    assert after["positives"] == before["positives"] + 1
    assert after["brier"] != before["brier"]
    assert flipped.project.query(
        "select avg(power(score - is_positive::int, 2)) from insights_internal.scored_rows "
        f"where model_name = '{MODEL}' and sample_role = 'new' and as_of_on >= '{ORDERED}' "
        f"and as_of_on < '{UNTOLD}'"
    ) == [(pytest.approx(after["brier"]),)]


def test_a_window_whose_rows_are_gone_measures_nothing(built: DbtProject, flipped: Flipped) -> None:
    march = f"window_start_on = '{UNTOLD}'"
    for table in ("feature_drift", "prediction_drift", "label_drift"):
        assert monitored(built, table, march), table
        rows = monitored(flipped.project, table, march)
        assert {(row["current_rows"], row["psi"], row["is_drifted"]) for row in rows} == {
            (0, None, None)
        }, table
    (performance,) = monitored(flipped.project, "model_performance", march)
    measures = ("matured_rows", "brier", "has_fallen")
    assert [performance[name] for name in measures] == [0, None, None]


def test_the_estimate_is_near_what_comes_while_scores_are_right_and_far_when_they_are_not(
    flipped: Flipped,
) -> None:
    """January's outcomes are those of December, February's follow another rule."""
    (right,) = monitored(flipped.project, "model_performance", f"window_start_on = '{LIKE_BEFORE}'")
    (wrong,) = monitored(flipped.project, "model_performance", f"window_start_on = '{ORDERED}'")
    assert right["matured_rows"] > 200
    for metric in ("brier", "f1"):
        assert right[f"{metric}_low"] < right[f"estimated_{metric}"] < right[f"{metric}_high"]
    # It promises more than comes.
    assert wrong["estimated_roc_auc"] > wrong["roc_auc_high"]
    assert wrong["estimated_f1"] > wrong["f1_high"]
    assert wrong["estimated_brier"] < wrong["brier_low"] / 2
    # How well scores rank by what they say hangs on the slope of their calibration, too, which 340
    # rows leave uncertain; the interval of what came is that of outcomes alone.
    near, far = (abs(row["estimated_roc_auc"] - row["roc_auc"]) for row in (right, wrong))
    assert near < 0.03 < 0.06 < far


def test_the_history_of_drift_keeps_both_answers_and_since_when(flipped: Flipped) -> None:
    (newest,) = rows_of(
        flipped.project, "select max(run_started_at) as began from insights.pipeline_runs"
    )

    def history(name: str, window: str) -> list[dict[str, Any]]:
        return rows_of(
            flipped.project,
            "select current_rows, is_drifted, dbt_valid_from as since, dbt_valid_to as until "
            f"from insights_history.feature_drift_history where model_name = '{MODEL}' "
            f"and column_name = '{name}' and window_start_on = '{window}' order by since",
        )

    for window, said in (
        (ORDERED, [(299, True), (299, False)]),
        (UNTOLD, [(299, False), (0, None)]),
    ):
        before, after = history("browser", window)
        assert [(row["current_rows"], row["is_drifted"]) for row in (before, after)] == said
        assert before["since"] < newest["began"] < before["until"]
        assert (after["since"], after["until"]) == (before["until"], None)
    (unchanged,) = history("traffic_type", ORDERED)
    assert (unchanged["is_drifted"], unchanged["until"]) == (True, None)
    assert unchanged["since"] < newest["began"]


def test_a_model_that_was_tampered_with_is_named_and_nothing_is_written(
    dbt: DbtWorker, trained: DbtProject, tmp_path: Path
) -> None:
    project = copy_of(trained, tmp_path)
    ((version,),) = project.query(
        f"select model_version from insights.serving_versions where model_name = '{MODEL}'"
    )
    damaged = f"where model_name = '{MODEL}' and artifact is not null"
    change(project, f"update {TRAINED} set artifact = artifact || '\\x00'::blob {damaged}")
    before = contents(project)
    refused = dbt.run(project, *DECIDED, check=False)
    assert refused.exit_code != 0
    assert refused.statuses["purchase_intent_scored"] == "skipped"
    told = sentence_of(refused.messages["purchase_intent_trained"])
    assert told.startswith(f"Version {version} of {MODEL} was changed after it was written")
    assert "rollback_model" in told
    assert "\n" not in told
    after = contents(project)
    assert {name for name in before if before[name] != after[name]} <= {
        "insights_internal.run_context",
        # Shows when the run began.
        "insights_internal.session_label_observations",
    }
    # As the sentence says, where nothing else is left.
    change(
        project,
        *[
            f"delete from insights_internal.purchase_intent_{table} where model_name = '{MODEL}'"
            for table in ("trained", "scored", "explained")
        ],
    )
    dbt.run(project, *DECIDED)
    decisions = rows_of(project, f"select * from {TRAINED} where model_name = '{MODEL}'")
    assert [(row["decision_number"], row["decision"]) for row in decisions] == [
        (1, "trained_promoted")
    ]
    assert project.query(
        "select count(*) > 1000 from insights.purchase_intent_scores "
        f"where model_name = '{MODEL}' and model_version = '{decisions[0]['model_version']}'"
    ) == [(True,)]


def test_infinite_numbers_are_counted_with_their_reason_or_refused_in_a_sentence(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    """A raw table of one's own may hold numbers of any type."""
    values = ("infinity", "-infinity", "nan", "1e39")
    numbered = "(select session_id from raw.sessions order by 1 limit 1 offset {})"
    put_raw(
        dbt_project,
        {"sessions": shop(ShopConfig(scale=0.2))["sessions"]},
        *[
            f"update raw.sessions set page_values = '{value}' "
            f"where session_id = {numbered.format(place)}"
            for place, value in enumerate(values)
        ],
    )
    dbt.run(dbt_project, "run", "--select", "checked_sessions")
    assert dbt_project.query(
        "select reject_reason, count(*) from insights_staging.checked_sessions "
        "where reject_reason is not null group by all"
    ) == [("value_out_of_range", len(values))]

    change(
        dbt_project,
        "alter table raw.sessions alter administrative_duration type double",
        "update raw.sessions set administrative_duration = 'infinity' "
        f"where session_id = {numbered.format(9)}",
    )
    refused = dbt.run(dbt_project, "run", "--select", "checked_sessions", check=False)
    assert refused.exit_code != 0
    told = sentence_of(refused.messages["checked_sessions"])
    assert told.startswith("The raw column administrative_duration holds what cannot be read")
    assert "\n" not in told
