"""Each scenario of the sample's generator raises the alerts that it should, and no others.

The models learn until a day from which on the scenario holds, and are watched in the month after
it. Until then the scenarios of one seed have the same visits, buyers and orders, whose quantities,
states and reviews come from one law, if not from one draw; so one training serves them all. The
shops of a scenario lie in one database (`shops_apart.py`), so how far data reach and how good they
are is said of all of them together.

What is right of the two models of purchase intent, which learn from a year:

- none: nothing.
- covariate_drift: `feature_drift` shows what has moved, and there is no alert: the model has
  learned how visits like these buy, so nobody is hurt.
- concept_drift: each model raises `fallen_performance`, because what it learned tells buyers no
  more, and `miscalibrated_slice`, because far fewer buy than it says. No feature has moved to where
  it erred. Both triggers asked for training; where a model of the changed month passed the gate it
  serves, and the alerts are about the version that it replaced.
- immature_labels: metrics are null, and there is no alert from outcomes. That orders end a month
  before the sessions is `data_freshness`, and that the month has none `data_volume`.

Two alerts may come by chance. `fallen_performance` looks at one end of a 95 % interval, 2.5 %, and
`miscalibrated_slice` at `slice_false_alarm_rate`, 1 %: of two models at most twice as many sound
shops. How many that may be follows from the binomial distribution. `costly_drift` is no chance:
what visitors did before grows with the age of a shop, which costs the model of one of these shops
about as much as the margin. It is about nothing else.

Of churn the outcome is final 90 days after an as-of date, so its shops go on for three months after
the change, and the month is judged then. Shops are twice as large: a window has one as-of date, and
a month of half as many customers shows a fall beyond noise in every other shop only. What is right:

- none and covariate_drift: nothing but what is true. A version is calibrated on one as-of date, and
  season and age of a shop move on, so its scores may really be off. The generator knows the
  probability of each customer to churn: `miscalibrated_slice` is a false alarm where the scores of
  the slice are right in mean, by the margin. Three windows have come since the test, so the chance
  is three times that of one.
- concept_drift: visits buy for other reasons, so customers whose visits bought before stay away:
  far more churn than the model says, and it tells less who. Each model raises both alerts.
- immature_labels: nothing is known of a customer whose orders have not arrived. Nobody is called
  churned for it, and what is missing are the data: orders and the reviews that follow them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import shops_apart
from conftest import DbtProject, create_dbt_project
from helpers import BUILD, DbtWorker, Tables, change, copy_of, put_raw, rows_of, shop
from scipy.stats import binom

from customer_insights.sample import RAW_SCHEMAS, ShopConfig, churn_truth
from customer_insights.training import RUN_SCHEMA

SCENARIOS = ("none", "covariate_drift", "concept_drift", "immature_labels")
# What the campaign of covariate drift moves; in a healthy shop nothing does.
MOVED = {"browser", "informational", "informational_duration", "operating_systems", "region"}
MOVED |= {"traffic_type"}
METRICS = ("roc_auc", "pr_auc", "f1", "precision", "recall", "brier", "observed_rate", "has_fallen")

# What a visitor did before: more of it, the longer a shop is known.
AGEING = {"prior_order_count", "prior_review_count", "prior_session_count"}
# And a customer.
AGEING_CUSTOMERS = {"days_since_first_order", "order_count", "review_count"}

# By kind, how often a sound model raises one in a window.
FALSE_ALARMS = {"fallen_performance": 0.025, "miscalibrated_slice": 0.01}
# Chance that an assertion about one kind fails in a sound project.
RISK = 0.01
# The setting `calibration_margin`: by how much scores may be off.
MARGIN = 0.02

# What monitoring looks at, of the rows that models were trained on few.
WATCHED = {"RESCORE_DAYS": "60"}
WATCH = (
    *("+data_quality", "runtime_trends", "pipeline_runs", "model_runs", "serving_versions"),
    *("path:models/monitoring/internal", "model_performance", "slice_performance"),
    *("feature_drift", "alerts", "alert_vocabulary"),
)


@dataclass(frozen=True)
class Study:
    """Shops of one size, and when the models of one task learn and are watched.

    `trained_at` is when outcomes are final of what the models are tested on. `trained` and
    `watched` select what is built for the task, `absent` makes what other tasks would fill, and
    `other_logs` are theirs of decisions.
    """

    task: str
    seeds: range
    scale: float
    start_on: date
    changes_on: date
    days: int
    trained_at: str
    watched: tuple[str, ...]
    absent: tuple[str, ...]
    other_logs: tuple[str, ...]

    @property
    def log(self) -> str:
        """The decisions about the task's models."""
        return f"insights_internal.{self.task}_trained"

    @property
    def window_end_on(self) -> date:
        """The day after the month in which the scenarios hold."""
        return (self.changes_on + timedelta(days=31)).replace(day=1)

    def config(self, seed: int, scenario: str) -> ShopConfig:
        """One of the shops."""
        return ShopConfig(
            seed=seed,
            scale=self.scale,
            start_on=self.start_on,
            days=self.days,
            scenario=scenario,
            changes_on=self.changes_on,
        )

    def raw_tables(self, scenario: str) -> Tables:
        """The raw tables of all shops of a scenario."""
        shops = []
        for seed in self.seeds:
            # Not kept: of so many shops each is asked for once.
            made = shop.__wrapped__(self.config(seed, scenario))
            shops.append(
                {name: shops_apart.named(made[name], f"{scenario}-{seed}") for name in RAW_SCHEMAS}
            )
        return {name: pa.concat_tables([made[name] for made in shops]) for name in RAW_SCHEMAS}

    def handed_on(self, scenario: str) -> list[str]:
        """Statements that name the decisions about the healthy shops as those of a scenario."""
        names = ", ".join(
            f"{column} = replace({column}, 'none-', '{scenario}-')"
            for column in ("model_name", "model_run_id")
        )
        return [f"update {self.log} set {names}"]


NO_RECOMMENDATIONS = (
    "create schema if not exists insights",
    "create table insights.customer_segments (customer_id varchar, as_of_on date, segment varchar)",
    "create table insights_internal.product_recommendations_scored (model_name varchar,"
    " model_version varchar, customer_id varchar, product_id varchar, as_of_on date, score double,"
    " sample_role varchar, features_hash varchar)",
    "create table insights_internal.product_recommendations_training_set"
    " (customer_id varchar, product_id varchar, as_of_on date, is_bought boolean)",
    "create table insights.recommendation_performance (as_of_on date, matured_on date,"
    " segment varchar, customers bigint, ndcg_10 double, earlier_ndcg_10 double,"
    " has_fallen boolean)",
)
PURCHASE_INTENT = Study(
    task="purchase_intent",
    seeds=range(1, 21),
    scale=1.0,
    start_on=date(2023, 10, 1),
    changes_on=date(2024, 10, 1),
    days=398,
    # When the outcomes of September are final.
    trained_at="2024-10-02",
    watched=("+purchase_intent_scores", "+session_labels"),
    absent=(
        *NO_RECOMMENDATIONS,
        "create table insights.churn_scores (model_name varchar, model_version varchar,"
        " customer_id varchar, as_of_on date, score double, score_decile integer,"
        " is_predicted_churn boolean, sample_role varchar)",
        "create table insights.churn_labels"
        " (customer_id varchar, as_of_on date, is_churned boolean, matured_on date)",
        "create table insights_internal.churn_population"
        " (customer_id varchar, as_of_on date, features_hash varchar)",
        "create table insights_internal.as_of_dates (as_of_on date)",
    ),
    other_logs=("churn", "product_recommendations"),
)
# Trained on as-of dates of a year, calibrated on that of January, tested on that of April. January
# and July begin 90 days that are about equally busy: a season is no false alarm, but no chance.
CHURN = Study(
    task="churn",
    seeds=range(1, 13),
    scale=2.0,
    start_on=date(2022, 10, 1),
    changes_on=date(2024, 7, 1),
    days=731,
    # When the outcomes of April's date are final.
    trained_at="2024-07-02",
    watched=("+churn_scores", "+churn_labels"),
    absent=(
        *NO_RECOMMENDATIONS,
        "create table insights.purchase_intent_scores (model_name varchar, model_version varchar,"
        " session_id varchar, session_on date, score double, score_decile integer,"
        " is_predicted_purchase boolean, sample_role varchar)",
        "create table insights.session_labels"
        " (session_id varchar, is_purchase boolean, matured_on date)",
        "create table insights.session_features (session_id varchar, session_on date,"
        " visitor_id varchar, visitor_type varchar, features_hash varchar)",
    ),
    other_logs=("purchase_intent", "product_recommendations"),
)
# The as-of dates since the test whose outcomes become final.
CHURN_DATES = (date(2024, 5, 1), date(2024, 6, 1), date(2024, 7, 1))


class Watched:
    """What builds say after the month in which the scenarios hold."""

    def __init__(self, study: Study, folder: Path) -> None:
        worker = DbtWorker(new(folder / "worker"), shops_apart.PREAMBLE, TEXT_ENGINE="none")
        trained = create_dbt_project(new(folder / "trained"))
        put_raw(trained, study.raw_tables("none"))
        selected = (*BUILD, "--select", f"+{study.task}_trained")
        worker.run(trained, *selected, env={"AS_OF": study.trained_at})
        with duckdb.connect(str(trained.database)) as connection:
            connection.register("nothing", RUN_SCHEMA.empty_table())
            for name in study.other_logs:
                connection.execute(f"create table insights_internal.{name}_trained as from nothing")
        change(trained, *study.absent)
        self._window_end_on = study.window_end_on
        self._projects: dict[str, DbtProject] = {}
        for scenario in SCENARIOS:
            project = copy_of(trained, new(folder / scenario))
            if scenario != "none":
                put_raw(project, study.raw_tables(scenario), *study.handed_on(scenario))
            worker.run(project, *BUILD, "--select", *study.watched, *WATCH, env=WATCHED)
            self._projects[scenario] = project
        worker.close()

    def project(self, scenario: str) -> DbtProject:
        """The project of a scenario's shops."""
        return self._projects[scenario]

    def rows(
        self, scenario: str, table: str, condition: str = "true", *, in_month: bool = True
    ) -> list[dict[str, Any]]:
        """Rows of a table about the models of a scenario's shops, in the month or whenever."""
        month = f"window_end_on = '{self._window_end_on}'" if in_month else "true"
        return rows_of(
            self._projects[scenario],
            f"select * from insights.{table} where starts_with(model_name, '{scenario}-')"
            f" and {month} and {condition} order by all",
        )

    def alerts(self, scenario: str) -> dict[str, list[str]]:
        """The kinds of alerts about each model that some are about."""
        found = defaultdict(list)
        for row in self.rows(scenario, "alerts"):
            found[row["model_name"]].append(row["kind"])
        return found

    def costly(self, scenario: str) -> set[str]:
        """The shops, models and features that `costly_drift` is about, without the scenario."""
        found = self.rows(scenario, "alerts", "kind = 'costly_drift'")
        return {row["subject"].removeprefix(f"{scenario}-") for row in found}

    def decisions(self, scenario: str) -> dict[str, dict[str, Any]]:
        """The newest decision about each model, with the triggers that had `fired`."""
        found = rows_of(
            self._projects[scenario],
            "select model_name, decision, triggers from insights.model_runs"
            f" where starts_with(model_name, '{scenario}-') and decision_number = 2",
        )
        for row in found:
            row["fired"] = {
                each["name"] for each in json.loads(row["triggers"]) if each["is_fired"]
            }
        return {row["model_name"]: row for row in found}

    def other_alerts(self, scenario: str) -> list[tuple[str, str]]:
        """Kinds and subjects of alerts that are about no model, or about another month."""
        return self._projects[scenario].query(
            "select kind, subject from insights.alerts"
            f" where model_name is null or window_end_on <> '{self._window_end_on}' order by all"
        )


def shops_with(kind: str, alerts: dict[str, list[str]]) -> set[str]:
    """The shops with an alert of this kind, by the names of their models."""
    return {model_name.split("/")[0] for model_name, kinds in alerts.items() if kind in kinds}


def new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def allowed(study: Study, rate: float) -> int:
    """How many sound shops may raise an alert that each raises by chance at this rate."""
    return int(binom.ppf(1 - RISK, len(study.seeds), rate))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_purchase_intent_raises_exactly_the_alerts_that_it_should(tmp_path: Path) -> None:
    study = PURCHASE_INTENT
    watched = Watched(study, tmp_path)
    costly = set().union(*(watched.costly(scenario) for scenario in SCENARIOS))
    assert {subject.split(".")[1] for subject in costly} <= AGEING
    assert len({subject.split("/")[0] for subject in costly}) <= 1, costly

    for scenario in ("none", "covariate_drift"):
        alerts = watched.alerts(scenario)
        assert {kind for kinds in alerts.values() for kind in kinds} <= {
            *FALSE_ALARMS,
            "costly_drift",
        }
        for kind, rate in FALSE_ALARMS.items():
            # There are two models.
            assert len(shops_with(kind, alerts)) <= allowed(study, 2 * rate), alerts
        assert watched.other_alerts(scenario) == []
        judged = watched.rows(scenario, "model_performance", "has_fallen is not null")
        assert len(judged) == 2 * len(study.seeds)

    for scenario, shifted in (("none", 0), ("covariate_drift", 2 * len(study.seeds))):
        drifted = watched.rows(scenario, "feature_drift", "is_drifted")
        for name in MOVED:
            assert sum(row["column_name"] == name for row in drifted) == shifted, (scenario, name)

    decisions = watched.decisions("concept_drift")
    assert len(decisions) == 2 * len(study.seeds)
    alerts = watched.alerts("concept_drift")
    for model_name, decision in decisions.items():
        assert {"fallen_metric", "miscalibrated"} <= decision["fired"], model_name
        kinds = [kind for kind in alerts.get(model_name, []) if kind != "costly_drift"]
        assert sorted(kinds) == ["fallen_performance", "miscalibrated_slice"], model_name

    immature = watched.alerts("immature_labels")
    assert {kind for kinds in immature.values() for kind in kinds} <= {"costly_drift"}
    assert watched.other_alerts("immature_labels") == [
        ("data_freshness", "orders"),
        ("data_volume", "order_items"),
        ("data_volume", "orders"),
    ]
    unknown = watched.rows("immature_labels", "model_performance")
    assert len(unknown) == 2 * len(study.seeds)
    for row in unknown:
        assert row["scored_rows"] > 500
        assert row["matured_rows"] == 0
        assert {row[name] for name in METRICS} == {None}
    slices = watched.rows("immature_labels", "slice_performance")
    assert slices
    assert {row["is_harmful"] for row in slices} == {None}


@cache
def true_churn(seed: int, as_of_on: date) -> pa.Table:
    """The true probability of each customer of a sound shop to order nothing from a date on."""
    return pa.concat_tables(churn_truth(CHURN.config(seed, "none"), as_of_on, 90))


def off_in_truth(watched: Watched, scenario: str, slices: list[dict[str, Any]]) -> Iterator[bool]:
    """Whether scores of slices of churn lie beside the true rate, where outcomes do, by the margin.

    The truth of the sound shop counts in the covariate drift, too: until its change the same people
    have ordered at the same times, and after it visits buy for the same reasons.
    """
    for row in slices:
        shop_name = row["model_name"].split("/")[0]
        seed = int(shop_name.removeprefix(f"{scenario}-"))
        truth = shops_apart.named(true_churn(seed, row["window_start_on"]), shop_name)
        # A slice is named by its condition.
        within = "true" if row["slice"] == "all rows" else row["slice"]
        with duckdb.connect(str(watched.project(scenario).database), read_only=True) as connection:
            connection.register("truth", truth)
            count, true_rate = connection.execute(
                "select count(*), avg(no_purchase_probability) from insights.churn_scores as scores"
                " inner join insights.customer_features using (customer_id, as_of_on)"
                " inner join truth using (customer_id, as_of_on)"
                f" where model_name = $1 and model_version = $2 and {within}",
                [row["model_name"], row["model_version"]],
            ).fetchall()[0]
        assert count == row["matured_rows"], row
        gap = true_rate - row["expected_rate"]
        yield abs(gap) > MARGIN and (gap > 0) == (row["observed_rate"] > row["expected_rate"])


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_churn_raises_exactly_the_alerts_that_it_should(tmp_path: Path) -> None:
    study = CHURN
    watched = Watched(study, tmp_path)
    served = rows_of(
        watched.project("none"),
        f"select decision from {study.log} where decision_number = 1",
    )
    assert [row["decision"] for row in served] == ["trained_promoted"] * len(study.seeds)

    for scenario in ("none", "covariate_drift"):
        raised = watched.rows(scenario, "alerts", in_month=False)
        assert {row["kind"] for row in raised} <= {*FALSE_ALARMS}
        fallen = {row["model_name"] for row in raised if row["kind"] == "fallen_performance"}
        rate = len(CHURN_DATES) * FALSE_ALARMS["fallen_performance"]
        assert len(fallen) <= allowed(study, rate), fallen
        off = watched.rows(scenario, "slice_performance", "is_harmful", in_month=False)
        false = {
            row["model_name"]
            for row, is_off in zip(off, off_in_truth(watched, scenario, off), strict=True)
            if not is_off
        }
        rate = len(CHURN_DATES) * FALSE_ALARMS["miscalibrated_slice"]
        assert len(false) <= allowed(study, rate), false
        about_none = "select kind, subject from insights.alerts where model_name is null"
        assert watched.project(scenario).query(about_none) == []
        judged = watched.rows(
            scenario, "model_performance", "has_fallen is not null", in_month=False
        )
        assert len(judged) == len(CHURN_DATES) * len(study.seeds)

    costly = watched.rows("concept_drift", "alerts", "kind = 'costly_drift'", in_month=False)
    assert {row["subject"].split(".")[1] for row in costly} <= AGEING_CUSTOMERS
    decisions = watched.decisions("concept_drift")
    assert len(decisions) == len(study.seeds)
    alerts = watched.alerts("concept_drift")
    for model_name, decision in decisions.items():
        assert {"fallen_metric", "miscalibrated"} <= decision["fired"], model_name
        kinds = [kind for kind in alerts.get(model_name, []) if kind != "costly_drift"]
        assert sorted(kinds) == ["fallen_performance", "miscalibrated_slice"], model_name

    assert watched.rows("immature_labels", "alerts", in_month=False) == []
    lacking = {*watched.other_alerts("immature_labels")}
    assert {("data_freshness", "orders"), ("data_freshness", "reviews")} <= lacking
    assert {("data_volume", "orders"), ("data_volume", "order_items")} <= lacking
    assert {kind for kind, _ in lacking} <= {"data_freshness", "data_volume"}
    assert {subject for _, subject in lacking} <= {"orders", "order_items", "reviews"}
    unknown = watched.rows("immature_labels", "model_performance", in_month=False)
    assert len(unknown) == len(CHURN_DATES) * len(study.seeds)
    for row in unknown:
        assert row["scored_rows"] > 500
        assert row["matured_rows"] == 0
        assert {row[name] for name in METRICS} == {None}
    slices = watched.rows("immature_labels", "slice_performance", in_month=False)
    assert slices
    assert {row["is_harmful"] for row in slices} == {None}
    kept = watched.decisions("immature_labels").values()
    assert [row["decision"] for row in kept] == ["kept"] * len(study.seeds)
