"""Each scenario of the sample's generator raises the alerts that it should, and no others.

A shop of 13 months: the two models of purchase intent learn from its first year and are watched in
the month after it, in which the scenario holds. Scenarios of one seed are the same shop until then,
so one training serves them all. The shops of a scenario lie in one database (`shops_apart.py`), so
how far data reach and how good they are is said of all of them together.

What is right:

- none: nothing.
- covariate_drift: `feature_drift` shows what has moved, and there is no alert: the model has
  learned how visits like these buy, so nobody is hurt.
- concept_drift: each model raises `fallen_performance`, because what it learned tells buyers no
  more, and `miscalibrated_slice`, because far fewer buy than it says. No feature has moved to where
  it erred. Both triggers asked for training; where a model of the changed month passed the gate it
  serves, and the alerts are about the version that it replaced.
- immature_labels: metrics are null, and there is no alert from outcomes. That orders end a month
  before the sessions is `data_freshness`.

Two alerts may come by chance. `fallen_performance` looks at one end of a 95 % interval, 2.5 %, and
`miscalibrated_slice` at `slice_false_alarm_rate`, 1 %: of two models at most twice as many sound
shops. How many that may be follows from the binomial distribution. `costly_drift` is no chance:
what visitors did before grows with the age of a shop, which costs the model of one of these shops
about as much as the margin. It is about nothing else.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import shops_apart
from conftest import DbtProject, create_dbt_project
from helpers import BUILD, DbtWorker, Tables, change, copy_of, put_raw, rows_of, shop
from scipy.stats import binom

from customer_insights.sample import RAW_SCHEMAS, ShopConfig
from customer_insights.training import RUN_SCHEMA

START_ON, CHANGES_ON, DAYS = date(2023, 10, 1), date(2024, 10, 1), 398
# When the outcomes of September are final.
TRAINED_AT = "2024-10-02"
SEEDS = range(1, 21)
SCENARIOS = ("none", "covariate_drift", "concept_drift", "immature_labels")
# What the campaign of covariate drift moves; in a healthy shop nothing does.
MOVED = {"browser", "informational", "informational_duration", "operating_systems", "region"}
MOVED |= {"traffic_type"}
METRICS = ("roc_auc", "pr_auc", "f1", "precision", "recall", "brier", "observed_rate", "has_fallen")

# What a visitor did before: more of it, the longer a shop is known.
AGEING = {"prior_order_count", "prior_review_count", "prior_session_count"}

# By kind, of shops in which each of two models may raise one.
FALSE_ALARMS = {"fallen_performance": 2 * 0.025, "miscalibrated_slice": 2 * 0.01}
# Chance that an assertion about one kind fails in a sound project.
RISK = 0.01

TRAIN = (*BUILD, "--select", "+purchase_intent_trained")
WATCH = (
    *(*BUILD, "--select", "+purchase_intent_scores", "+session_labels", "+data_quality"),
    *("runtime_trends", "pipeline_runs", "model_runs", "serving_versions"),
    *("path:models/monitoring/internal", "model_performance", "slice_performance"),
    *("feature_drift", "alerts", "alert_vocabulary"),
)
# What monitoring looks at, of the rows that models were trained on none.
WATCHED = {"RESCORE_DAYS": "60"}
LOG = "insights_internal.purchase_intent_trained"
# What churn and recommendations would fill, which are not watched here.
ABSENT = (
    "create schema if not exists insights",
    "create table insights.churn_scores (model_name varchar, model_version varchar,"
    " customer_id varchar, as_of_on date, score double, score_decile integer,"
    " is_predicted_churn boolean, sample_role varchar)",
    "create table insights.churn_labels"
    " (customer_id varchar, as_of_on date, is_churned boolean, matured_on date)",
    "create table insights_internal.churn_population"
    " (customer_id varchar, as_of_on date, features_hash varchar)",
    "create table insights_internal.as_of_dates (as_of_on date)",
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


def raw_tables(scenario: str) -> Tables:
    """The raw tables of all shops of a scenario."""
    shops = []
    for seed in SEEDS:
        config = ShopConfig(
            seed=seed, start_on=START_ON, days=DAYS, scenario=scenario, changes_on=CHANGES_ON
        )
        # Not kept: of so many shops each is asked for once or twice.
        made = shop.__wrapped__(config)
        shops.append(
            {name: shops_apart.named(made[name], f"{scenario}-{seed}") for name in RAW_SCHEMAS}
        )
    return {name: pa.concat_tables([made[name] for made in shops]) for name in RAW_SCHEMAS}


class Watched:
    """What builds say after the month in which the scenarios hold."""

    def __init__(self, folder: Path) -> None:
        worker = DbtWorker(new(folder / "worker"), shops_apart.PREAMBLE, TEXT_ENGINE="none")
        trained = create_dbt_project(new(folder / "trained"))
        put_raw(trained, raw_tables("none"))
        worker.run(trained, *TRAIN, env={"AS_OF": TRAINED_AT})
        with duckdb.connect(str(trained.database)) as connection:
            connection.register("nothing", RUN_SCHEMA.empty_table())
            for name in ("churn", "product_recommendations"):
                connection.execute(f"create table insights_internal.{name}_trained as from nothing")
        change(trained, *ABSENT)
        self._projects: dict[str, DbtProject] = {}
        for scenario in SCENARIOS:
            project = copy_of(trained, new(folder / scenario))
            put_raw(project, raw_tables(scenario), *handed_on(scenario))
            worker.run(project, *WATCH, env=WATCHED)
            self._projects[scenario] = project
        worker.close()

    def rows(self, scenario: str, table: str, condition: str = "true") -> list[dict[str, Any]]:
        """Rows of a table about the models of a scenario's shops, in the month."""
        return rows_of(
            self._projects[scenario],
            f"select * from insights.{table} where starts_with(model_name, '{scenario}-')"
            f" and window_end_on = '2024-11-01' and {condition} order by all",
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
            " where model_name is null or window_end_on <> '2024-11-01' order by all"
        )


def shops_with(kind: str, alerts: dict[str, list[str]]) -> set[str]:
    """The shops with an alert of this kind, by the names of their models."""
    return {model_name.split("/")[0] for model_name, kinds in alerts.items() if kind in kinds}


def new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def handed_on(scenario: str) -> list[str]:
    """Statements that name the decisions about the healthy shops as those of a scenario."""
    names = ", ".join(
        f"{column} = replace({column}, 'none-', '{scenario}-')"
        for column in ("model_name", "model_run_id")
    )
    return [f"update {LOG} set {names}"]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_each_scenario_raises_exactly_the_alerts_that_it_should(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
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
            allowed = binom.ppf(1 - RISK, len(SEEDS), rate)
            assert len(shops_with(kind, alerts)) <= allowed, alerts
        assert watched.other_alerts(scenario) == []
        judged = watched.rows(scenario, "model_performance", "has_fallen is not null")
        assert len(judged) == 2 * len(SEEDS)

    for scenario, shifted in (("none", 0), ("covariate_drift", 2 * len(SEEDS))):
        drifted = watched.rows(scenario, "feature_drift", "is_drifted")
        for name in MOVED:
            assert sum(row["column_name"] == name for row in drifted) == shifted, (scenario, name)

    decisions = watched.decisions("concept_drift")
    assert len(decisions) == 2 * len(SEEDS)
    alerts = watched.alerts("concept_drift")
    for model_name, decision in decisions.items():
        assert {"fallen_metric", "miscalibrated"} <= decision["fired"], model_name
        kinds = [kind for kind in alerts.get(model_name, []) if kind != "costly_drift"]
        assert sorted(kinds) == ["fallen_performance", "miscalibrated_slice"], model_name

    immature = watched.alerts("immature_labels")
    assert {kind for kinds in immature.values() for kind in kinds} <= {"costly_drift"}
    assert watched.other_alerts("immature_labels") == [("data_freshness", "orders")]
    unknown = watched.rows("immature_labels", "model_performance")
    assert len(unknown) == 2 * len(SEEDS)
    for row in unknown:
        assert row["scored_rows"] > 500
        assert row["matured_rows"] == 0
        assert {row[name] for name in METRICS} == {None}
    slices = watched.rows("immature_labels", "slice_performance")
    assert slices
    assert {row["is_harmful"] for row in slices} == {None}
