"""Whether monitoring says what is so: no drift where there is none, harm where there is harm."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from conftest import DbtProject, create_dbt_project
from helpers import DbtWorker, copy_of
from scipy.stats import norm
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from customer_insights.monitoring.drift import (
    BinnedRows,
    measure_drift,
    measure_feature_drift,
)

Counts = npt.NDArray[np.int64]

# --- drift: simulated counts through the SQL that every drift table uses -------------------------

TRIALS = 2000
ROWS = [200, 450, 1000, 3000, 10_000, 100_000]
REFERENCE_ROWS = 20_000
# Tenths of a number, a count that is mostly zero, categories some of which are rare.
SPREADS = {
    "tenths": [0.1] * 10,
    "mostly_zero": [0.78, 0.1, 0.05, 0.03, 0.02, 0.02],
    "categories": [0.5, 0.3, 0.1, 0.05, 0.03, 0.015, 0.005],
}
MEASURED = """with

binned as (select * from simulated),

{{ drift_measures('binned', ['spread', 'row_count', 'trial']) }}

select *, psi > psi_threshold as is_drifted from drift
"""


def binned(
    spread: str,
    rows: int,
    trial: int,
    reference: Counts,
    current: Counts,
    design_effects: tuple[float, float] = (1.0, 1.0),
) -> pa.Table:
    bins = len(reference)
    return pa.table(
        {
            "spread": [spread] * bins,
            "row_count": [rows] * bins,
            "trial": [trial] * bins,
            "bin": np.arange(bins),
            "mean_value": np.arange(bins, dtype=np.float64),
            "reference_rows": reference,
            "current_rows": current,
            "test_rows": reference,
            "test_squared_error": reference * 0.1,
            "reference_design_effect": [design_effects[0]] * bins,
            "current_design_effect": [design_effects[1]] * bins,
        }
    )


@pytest.fixture(scope="module")
def measure(dbt: DbtWorker, module_dbt_project: DbtProject) -> str:
    """The SQL that measures drift, compiled."""
    answer = dbt.run(module_dbt_project, "compile", "--inline", MEASURED)
    return answer.output[answer.output.index("with\n\nbinned") :]


def measured(measure: str, simulated: pa.Table, columns: str) -> list[tuple[float, ...]]:
    with duckdb.connect() as connection:
        connection.register("simulated", simulated)
        return connection.execute(f"select {columns} from ({measure}) group by all").fetchall()


def test_without_drift_an_alarm_is_rarer_than_once_in_a_hundred(measure: str) -> None:
    generator = np.random.default_rng(20240101)
    tables = []
    for (spread, shares), rows in product(SPREADS.items(), ROWS):
        reference = generator.multinomial(REFERENCE_ROWS, shares, TRIALS)
        current = generator.multinomial(rows, shares, TRIALS)
        tables += [
            binned(spread, rows, trial, reference[trial], current[trial]) for trial in range(TRIALS)
        ]
    shares_of_alarms = measured(
        measure, pa.concat_tables(tables), "spread, row_count, avg(is_drifted::int) as share"
    )

    assert len(shares_of_alarms) == len(SPREADS) * len(ROWS)
    assert max(share for *_, share in shares_of_alarms) <= 0.01, shares_of_alarms
    # It does sound: a threshold out of reach would pass the line above.
    assert np.mean([share for *_, share in shares_of_alarms]) > 0.0001


def pairs_by_bin(
    generator: np.random.Generator, customers: int, products: int, alike: str, shares: list[float]
) -> Counts:
    """Candidates by bin, 30 of each customer, of a feature that a customer or a product has."""
    if alike == "customer":
        return 30 * generator.multinomial(customers, shares)
    bin_of_product = generator.choice(len(shares), products, p=shares)
    candidates = generator.multinomial(30 * customers, [1 / products] * products)
    return np.bincount(bin_of_product, candidates, len(shares)).astype(np.int64)


@pytest.mark.parametrize("alike", ["customer", "product"])
def test_candidates_that_are_alike_raise_no_alarm(measure: str, alike: str) -> None:
    generator = np.random.default_rng(20240101)
    shares, trials = SPREADS["tenths"], 1000
    # Rows by rows that stand for themselves: the fewer of customers and products.
    learned, seen = (3000, 600), (400, 250)
    effects = (30 * learned[0] / learned[1], 30 * seen[0] / seen[1])
    alarms = {}
    for design_effects in (effects, (1.0, 1.0)):
        tables = [
            binned(
                alike,
                seen[0],
                trial,
                pairs_by_bin(generator, *learned, alike, shares),
                pairs_by_bin(generator, *seen, alike, shares),
                design_effects,
            )
            for trial in range(trials)
        ]
        ((alarms[design_effects],),) = measured(
            measure, pa.concat_tables(tables), "avg(is_drifted::int)"
        )
    assert alarms[effects] <= 0.01
    # Counted as rows of their own, nearly every window would raise one.
    assert alarms[1.0, 1.0] > 0.5


def sessions_by_bin(
    generator: np.random.Generator, visitors: int, shares: list[float]
) -> tuple[Counts, float]:
    """Sessions by bin of a feature that a visitor has, and how many there are for each that counts.

    Some visitors come often, most seldom, four times on average.
    """
    sessions = generator.geometric(1 / 4, visitors)
    bins = generator.choice(len(shares), visitors, p=shares)
    counts = np.bincount(bins, sessions, len(shares)).astype(np.int64)
    # Rows over effective rows, which are the square of the rows by the sum of these squares.
    return counts, float(np.sum(sessions**2) / np.sum(sessions))


def test_visitors_who_come_again_raise_no_alarm(measure: str) -> None:
    generator = np.random.default_rng(20240101)
    shares, learned, seen = SPREADS["categories"], 3000, 250
    alarms = {}
    for is_counted in (True, False):
        tables = []
        for trial in range(1000):
            reference, reference_effect = sessions_by_bin(generator, learned, shares)
            current, current_effect = sessions_by_bin(generator, seen, shares)
            effects = (reference_effect, current_effect) if is_counted else (1.0, 1.0)
            tables.append(binned("visitors", seen, trial, reference, current, effects))
        ((alarms[is_counted],),) = measured(
            measure, pa.concat_tables(tables), "avg(is_drifted::int)"
        )
    assert alarms[True] <= 0.01
    # Counted as rows of their own, a third of the windows and more would raise one.
    assert alarms[False] > 0.3


@pytest.mark.parametrize("rows", [3000, 100_000])
def test_a_shift_of_0_3_standard_deviations_is_found(measure: str, rows: int) -> None:
    generator = np.random.default_rng(20240101)
    edges = norm.ppf(np.arange(1, 10) / 10)
    shifted = np.diff(norm.cdf(np.concatenate([[-np.inf], edges, [np.inf]]) - 0.3))
    reference = generator.multinomial(REFERENCE_ROWS, [0.1] * 10, 200)
    current = generator.multinomial(rows, shifted, 200)
    tables = [binned("tenths", rows, n, reference[n], current[n]) for n in range(200)]

    ((share,),) = measured(measure, pa.concat_tables(tables), "avg(is_drifted::int)")
    assert share >= 0.95


def test_measures_are_as_published(measure: str) -> None:
    reference, current = np.array([600, 300, 100]), np.array([300, 300, 400])
    ((psi, jensen_shannon, wasserstein, brier_change),) = measured(
        measure,
        binned("small", 1000, 0, reference, current),
        "psi, jensen_shannon, wasserstein, brier_change",
    )

    p, q = (reference + 0.5) / 1001.5, (current + 0.5) / 1001.5
    m = (p + q) / 2
    assert psi == pytest.approx(np.sum((q - p) * np.log(q / p)))
    assert jensen_shannon == pytest.approx(
        np.sum(p * np.log2(p / m) + q * np.log2(q / m)) / 2, rel=1e-9
    )
    # 0.3 of the rows moved by two bins, which lie one apart.
    assert wasserstein == pytest.approx(0.6)
    # Each bin errs alike, so no shift costs anything.
    assert brier_change == pytest.approx(0, abs=1e-12)


def test_training_measures_what_monitoring_does(measure: str) -> None:
    """One formula in SQL, where all windows are, and one in Python, before monitoring is built."""
    generator = np.random.default_rng(20240101)
    for shares in SPREADS.values():
        reference = generator.multinomial(REFERENCE_ROWS, shares)
        current = generator.multinomial(1000, generator.permutation(shares))
        test = generator.multinomial(500, shares)
        errors = np.round(test * generator.random(len(shares)), 6)
        design_effects = (3.0, 1.7)
        counted = binned("both", 1000, 0, reference, current, design_effects)
        for name, values in (("test_rows", test), ("test_squared_error", errors)):
            counted = counted.set_column(counted.column_names.index(name), name, pa.array(values))
        (by_sql,) = measured(
            measure, counted, "psi, psi_threshold, brier_change, brier_change_low, is_drifted"
        )
        drift = measure_drift(
            "both", BinnedRows(reference, test, errors, current), 3.09, design_effects
        )
        assert list(by_sql) == pytest.approx(
            [
                drift.psi,
                drift.psi_threshold,
                drift.brier_change,
                drift.brier_change_low,
                drift.is_drifted,
            ],
            rel=1e-9,
        )


# --- the drill: a year of real sessions, month by month ------------------------------------------

DRILL = {"VALIDATION_DAYS": "60", "TEST_DAYS": "60", "TEXT_ENGINE": "none"}
MONITORED = ("build", "--select", "+path:models/monitoring", "--exclude-resource-type", "test")
AFTER = "purchase_intent_after_session"
# November's build would train on November's rows and promote; the drill is about October's version.
PIN = f"{{model: {AFTER}, who: the drill, why: it is watched}}"


class Drill:
    """The UCI sessions as they would have come: up to October, then November, then December.

    `project` watches October's version, pinned; in `unpinned` November's build replaces it.
    """

    unpinned: DbtProject

    def __init__(self, folder: Path, shared_data: Path) -> None:
        worker_folder = folder / "worker"
        worker_folder.mkdir(parents=True)
        self.project = create_dbt_project(folder)
        self._worker = DbtWorker(worker_folder, **DRILL)
        sessions = shared_data / "online_shoppers_intention.csv"
        self.run(
            "run-operation", "load_files", "--args", f"{{path: '{sessions}', table: sessions}}"
        )

    def run(self, *arguments: str, **env: str) -> Mapping[str, str]:
        return self._worker.run(self.project, *arguments, env=env).messages

    def build(self, as_of: str) -> Mapping[str, str]:
        return self.run(*MONITORED, "--exclude-resource-type", "unit_test", AS_OF=as_of)

    def build_unpinned(self, folder: Path, as_of: str) -> None:
        """A build of this moment in a copy, where nothing is pinned."""
        watched, self.project = self.project, copy_of(self.project, folder)
        self.build(as_of)
        self.unpinned, self.project = self.project, watched

    def close(self) -> None:
        self._worker.close()


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Drill]:
    made = Drill(tmp_path_factory.mktemp("drill"), shared_data)
    made.build("2017-11-02")
    made.build_unpinned(tmp_path_factory.mktemp("unpinned"), "2017-12-02")
    made.run("run-operation", "pin_model", "--args", PIN)
    for as_of in ("2017-12-02", "2018-01-02"):
        made.build(as_of)
    yield made
    made.close()


def window(drill: Drill, table: str, columns: str, month: str, condition: str = "true") -> list:
    """Rows of the version that October's build promoted."""
    return drill.project.query(
        f"select {columns} from insights.{table} where model_name = '{AFTER}'"
        f" and model_version like '2017-10-31-%' and window_start_on = '2017-{month}-01'"
        f" and {condition} order by all"
    )


def alerts_of_november(project: DbtProject) -> dict[str, str]:
    return dict(
        project.query(
            "select kind, message from insights.alerts"
            f" where model_name = '{AFTER}' and window_end_on = '2017-12-01'"
        )
    )


def test_november_falls_and_names_the_slice(drill: Drill) -> None:
    ((has_fallen, roc_auc, matured),) = window(
        drill, "model_performance", "has_fallen, roc_auc, matured_rows", "11"
    )
    assert has_fallen
    assert matured == 2998
    assert roc_auc < 0.85

    harmful = {row[0] for row in window(drill, "slice_performance", "slice", "11", "is_harmful")}
    assert "page_values = 0" in harmful
    raised = alerts_of_november(drill.project)
    assert set(raised) == {"fallen_performance", "miscalibrated_slice"}
    assert "page_values = 0" in raised["miscalibrated_slice"]
    # The build that replaces the version says so of it, word for word.
    assert drill.unpinned.query(
        "select decision from insights.model_runs"
        f" where model_name = '{AFTER}' order by decision_number desc limit 1"
    ) == [("trained_promoted",)]
    told = alerts_of_november(drill.unpinned)
    assert {kind: words.partition(" (version 2017-10-31-")[0] for kind, words in told.items()} == {
        kind: words.removesuffix(".") for kind, words in raised.items()
    }
    ((psi, threshold),) = window(
        drill, "feature_drift", "psi, psi_threshold", "11", "column_name = 'page_values'"
    )
    # What the rule of thumb calls no drift at all.
    assert psi < 0.1
    assert threshold < psi


def test_december_drifts_and_does_no_harm(drill: Drill) -> None:
    drifted = {row[0] for row in window(drill, "feature_drift", "column_name", "12", "is_drifted")}
    assert {"traffic_type", "special_day"} <= drifted

    ((has_fallen, roc_auc),) = window(drill, "model_performance", "has_fallen, roc_auc", "12")
    assert has_fallen is False
    assert roc_auc > 0.88
    assert window(drill, "slice_performance", "slice", "12", "is_harmful") == []
    raised = drill.project.query(
        "select message from insights.alerts"
        f" where model_name = '{AFTER}' and window_end_on > '2017-12-01'"
    )
    assert raised == []


def test_metrics_are_those_of_scikit_learn(drill: Drill) -> None:
    rows = drill.project.query(
        "select is_positive, score, is_predicted from insights_internal.scored_rows"
        f" where model_name = '{AFTER}' and model_version like '2017-10-31-%'"
        " and sample_role = 'new' and as_of_on between '2017-11-01' and '2017-11-30'"
    )
    labels, scores, predicted = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    names = ("roc_auc", "pr_auc", "brier", "f1", "precision", "recall")
    (found,) = window(drill, "model_performance", ", ".join(names), "11")

    assert dict(zip(names, found, strict=True)) == pytest.approx(
        {
            "roc_auc": roc_auc_score(labels, scores),
            "pr_auc": average_precision_score(labels, scores),
            "brier": brier_score_loss(labels, scores),
            "f1": f1_score(labels, predicted),
            "precision": precision_score(labels, predicted),
            "recall": recall_score(labels, predicted),
        },
        rel=1e-9,
    )


def test_intervals_are_near_those_of_resampling(drill: Drill) -> None:
    rows = drill.project.query(
        "select is_positive, score, is_predicted from insights_internal.scored_rows"
        f" where model_name = '{AFTER}' and model_version like '2017-10-31-%'"
        " and sample_role = 'new' and as_of_on between '2017-11-01' and '2017-11-30'"
    )
    labels, scores, predicted = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    generator = np.random.default_rng(20240101)
    drawn = [generator.integers(0, len(labels), len(labels)) for _ in range(500)]
    resampled = {
        "roc_auc": [roc_auc_score(labels[n], scores[n]) for n in drawn],
        "pr_auc": [average_precision_score(labels[n], scores[n]) for n in drawn],
        "f1": [f1_score(labels[n], predicted[n]) for n in drawn],
        "brier": [brier_score_loss(labels[n], scores[n]) for n in drawn],
    }
    for name, values in resampled.items():
        ((low, high),) = window(drill, "model_performance", f"{name}_low, {name}_high", "11")
        ends = np.quantile(values, [0.025, 0.975])
        assert [low, high] == pytest.approx(list(ends), abs=0.012), name


def test_training_counts_rows_into_the_bins_that_monitoring_does(drill: Drill) -> None:
    [(profile,), *_] = drill.project.query(
        "select profile from insights_internal.purchase_intent_trained"
        f" where model_name = '{AFTER}' and model_version like '2017-10-31-%'"
        " and profile is not null"
    )
    with duckdb.connect(str(drill.project.database), read_only=True) as connection:
        rows = connection.sql(
            "select * from insights.session_features where month(session_on) = 11"
        ).to_arrow_table()
    # A feature with one value has no threshold.
    columns = "psi, coalesce(psi_threshold, 0), brier_change, brier_change_low"
    by_sql = {
        name: values
        for name, *values in window(drill, "feature_drift", f"column_name, {columns}", "11")
    }
    found = measure_feature_drift(profile, rows, 3.09)

    assert {each.feature for each in found} == set(by_sql)
    for each in found:
        assert by_sql[each.feature] == pytest.approx(
            [each.psi, each.psi_threshold or 0, each.brier_change, each.brier_change_low],
            rel=1e-9,
            abs=1e-12,
        ), each.feature


def test_a_segment_is_measured_as_the_whole_is(drill: Drill) -> None:
    # Nobody has ordered by a name, so the type of visitor is what is known.
    segments = window(drill, "segment_performance", "segment, matured_rows, f1", "11")
    assert {segment for segment, *_ in segments} <= {
        f"visitor_type = {name}" for name in ("New_Visitor", "Returning_Visitor", "Other")
    }
    rows = drill.project.query(
        "select scored.is_positive, scored.score"
        " from insights_internal.scored_rows as scored"
        " inner join insights.session_features as features"
        " on scored.entity_id = features.session_id"
        f" where model_name = '{AFTER}' and model_version like '2017-10-31-%'"
        " and sample_role = 'new' and as_of_on between '2017-11-01' and '2017-11-30'"
        " and features.visitor_type = 'New_Visitor'"
    )
    labels, scores = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    (found,) = window(
        drill,
        "segment_performance",
        "matured_rows, roc_auc, pr_auc, brier",
        "11",
        "segment = 'visitor_type = New_Visitor'",
    )
    assert list(found) == pytest.approx(
        [
            len(labels),
            roc_auc_score(labels, scores),
            average_precision_score(labels, scores),
            brier_score_loss(labels, scores),
        ],
        rel=1e-9,
    )


def test_what_scores_said_of_themselves_stands_beside_what_came(drill: Drill) -> None:
    for month in ("11", "12"):
        rows = drill.project.query(
            "select score from insights_internal.scored_rows"
            f" where model_name = '{AFTER}' and model_version like '2017-10-31-%'"
            f" and sample_role = 'new' and month(as_of_on) = {month}"
        )
        scores = np.array([score for (score,) in rows])
        ((said, came, low),) = window(
            drill, "model_performance", "estimated_brier, brier, brier_low", month
        )
        assert said == pytest.approx(float(np.mean(scores * (1 - scores))), rel=1e-9)
        # What scores do not know of, they do not tell.
        assert (said < low) == (month == "11"), (said, came)


def test_closed_windows_are_not_computed_again(drill: Drill) -> None:
    """Marks that a window would lose if it were computed again; the last test of this drill."""
    marked = "select distinct window_start_on from insights_internal.{} where scored_rows < 0"
    with duckdb.connect(str(drill.project.database)) as connection:
        connection.execute(
            "update insights_internal.performance_measured set scored_rows = -scored_rows"
        )
        connection.execute("update insights_internal.monitored_bins set row_count = -row_count")
        windows = connection.execute(marked.format("performance_measured")).fetchall()
        # A label that changed concerns its window alone.
        connection.execute(
            "update raw.sessions set is_purchase = not is_purchase where session_id ="
            " (select min(session_id) from raw.sessions where started_at::date = '2017-11-10')"
        )
    drill.build("2018-01-02")

    november = {(date(2017, 11, 1),)}
    assert set(drill.project.query(marked.format("performance_measured"))) == (
        set(windows) - november
    )
    bins = "select min(row_count) < 0 from insights_internal.monitored_bins where window_start_on "
    assert drill.project.query(bins + "= '2017-11-01'") == [(False,)]
    assert drill.project.query(bins + "= '2017-12-01'") == [(True,)]
