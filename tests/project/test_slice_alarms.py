"""Concept drift in slices: how often a sound window raises an alarm, and whether a fault does.

Simulated rows go through the SQL of slice_measures and slice_performance as it is compiled, with
slices that overlap as those of a version do and scores whose calibration is uncertain.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import DbtProject
from helpers import DbtWorker
from scipy.stats import binom, norm

from customer_insights.alike import design_effect

Floats = npt.NDArray[np.float64]

WINDOWS = 2000
# How often a visitor comes, where visitors are simulated.
VISITS = 8
# The chance that any slice of a sound window is called miscalibrated (setting
# slice_false_alarm_rate), and what is nearly never exceeded by chance where that is held.
RATE = 0.01
MOST_ALARMS = int(binom.ppf(0.999, WINDOWS, RATE))
# What each bin of a feature adds to the log-odds of a purchase. A number's first two bins are its
# lowest value and what else is below its best split.
NUMBERS = {
    "pages": np.linspace(-1.2, 1.2, 10),
    "page_value": np.array([-0.7, -0.7, 0.2, 0.5, 0.8, 1.0, 1.1, 1.2, 1.3, 1.4]),
    "duration": np.linspace(-0.4, 0.4, 10),
}
LEVELS = {"visitor": dict(zip("abcd", (0.0, 0.3, -0.3, 0.1), strict=True))}
SPLITS = {"pages": 6, "page_value": 2, "duration": 4}


@dataclass(frozen=True)
class Shop:
    """Rows of a window, rows that the calibration was found on, and the log-odds of most."""

    rows: int
    validation_rows: int
    log_odds: float


SHOPS = {
    "as many rows as validated on": Shop(800, 800, -1.5),
    "few were validated on": Shop(1500, 400, -1.0),
    "few buy": Shop(1000, 1500, -3.2),
}


def slices() -> str:
    """What training stores: both sides of splits, lowest values, and levels."""
    parts = []
    for name, effects in NUMBERS.items():
        for last in (0, SPLITS[name]):
            parts += [(f"{name} <= {last}", name, 0, last)]
            parts += [(f"{name} > {last}", name, last + 1, len(effects) - 1)]
    for name, levels in LEVELS.items():
        parts += [(f"{name} = {level}", name, place, place) for place, level in enumerate(levels)]
    keys = ("slice", "column_name", "first_bin", "last_bin")
    return json.dumps([dict(zip(keys, part, strict=True)) for part in parts])


def probability(log_odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-log_odds))


def off_by_chance(log_odds: Floats, shop: Shop, generator: np.random.Generator) -> Floats:
    """Log-odds as calibrated on the validation rows: an intercept and a slope, with their noise."""
    sample = log_odds[:100].ravel()
    weight = probability(sample) * (1 - probability(sample))
    design = np.stack([np.ones_like(sample), sample])
    information = (design * weight) @ design.T / len(sample) * shop.validation_rows
    noise = generator.multivariate_normal([0, 0], np.linalg.inv(information), len(log_odds))
    return noise[:, :1] + (1 + noise[:, 1:]) * log_odds


@dataclass(frozen=True)
class Simulated:
    """What windows hold; a window is a version's only one.

    `bins` are their bins, as monitored_bins has them; `rows` their rows, as scored_rows.
    """

    bins: pa.Table
    rows: pa.Table


def simulated(
    shop: Shop, generator: np.random.Generator, fault: float = 0.0, likeness: float = 0.0
) -> Simulated:
    """Windows of a shop.

    Args:
        shop: how many rows there are, and how many buy.
        generator: of all random numbers.
        fault: added to the log-odds of visitors `b`, unknown to the scores.
        likeness: correlation of what decides, beside the features, on the visits of one visitor,
            who comes eight times and stays with the same `visitor` and `page_value`.

    """
    shape = (WINDOWS, shop.rows)
    visitors = np.arange(shop.rows) // (VISITS if likeness else 1)
    bins = {name: generator.integers(0, len(effects), shape) for name, effects in NUMBERS.items()}
    levels = {name: generator.integers(0, len(effects), shape) for name, effects in LEVELS.items()}
    if likeness:
        bins["page_value"] = bins["page_value"][:, visitors]
        levels["visitor"] = levels["visitor"][:, visitors]
    log_odds = np.full(shape, shop.log_odds)
    for name, effects in NUMBERS.items():
        log_odds += effects[bins[name]]
    for name, effects_of in LEVELS.items():
        log_odds += np.array(list(effects_of.values()))[levels[name]]
    truth = probability(log_odds + fault * (levels["visitor"] == 1))
    if likeness:
        of_visitor = generator.standard_normal(shape)[:, visitors]
        of_visit = generator.standard_normal(shape)
        bought = norm.cdf(likeness**0.5 * of_visitor + (1 - likeness) ** 0.5 * of_visit) < truth
    else:
        bought = generator.random(shape) < truth
    score = probability(off_by_chance(log_odds, shop, generator))
    variance = score * (1 - score)
    measures = {
        "positives": bought,
        "expected_positives": score,
        "variance": variance,
        "squared_error": (score - bought) ** 2,
        "error_variance": variance * (1 - 2 * score) ** 2,
    }
    tables = []
    for name, places in ({None: np.zeros(shape, dtype=np.int64)} | bins | levels).items():
        count = int(places.max()) + 1
        cells = (np.arange(WINDOWS)[:, None] * count + places).ravel()
        rows = np.bincount(cells, minlength=WINDOWS * count)
        place = np.tile(np.arange(count), WINDOWS)
        tables.append(
            pa.table(
                {
                    "model_version": np.repeat(np.arange(WINDOWS), count).astype(str),
                    "column_name": pa.array([name] * len(rows), pa.string()),
                    "bin": pa.array(place, mask=np.full(len(rows), name not in bins)),
                    "category": pa.array(np.array(list("abcdefghij"))[place]).take(
                        pa.array(np.arange(len(rows)), mask=np.full(len(rows), name not in levels))
                    ),
                    "row_count": rows,
                }
                | {
                    measure: np.bincount(cells, values.ravel(), WINDOWS * count)
                    for measure, values in measures.items()
                }
            )
        )
    rows = pa.table(
        {
            "model_version": np.repeat(np.arange(WINDOWS), shop.rows).astype(str),
            "subject_id": np.tile(visitors, WINDOWS),
            "is_positive": bought.ravel(),
            "score": score.ravel(),
        }
    )
    return Simulated(pa.concat_tables(tables), rows)


@pytest.fixture(scope="module")
def compiled(dbt: DbtWorker, module_dbt_project: DbtProject) -> dict[str, str]:
    """The SQL of the models, by name."""
    names = ("monitored_windows", "slice_measures", "slice_performance")
    dbt.run(module_dbt_project, "compile", "--select", *names)
    paths = module_dbt_project.folder.glob("target/compiled/**/models/**/*.sql")
    found = {path.stem: path.read_text(encoding="utf-8") for path in paths if path.stem in names}
    assert found.keys() == set(names)
    return found


# What the models read, by table: each window is the only one of a version of its own.
VERSIONS = f"(select 'm' as model_name, range::varchar as model_version from range({WINDOWS}))"
STORED = "model_name varchar, model_version varchar, slices varchar, validation_rows bigint"
READ = {
    "purchase_intent_trained": "select *, $slices as slices, $validation_rows as validation_rows, "
    f"'[]' as profile, 1 as decision_number from {VERSIONS}",
    "monitored_windows": "select *, date '2024-03-01' as window_start_on, 'now' as rows_hash, "
    f"1 as judged_rows, 1e0 as error_design_effect from {VERSIONS}",
    "profile_bins": "select *, 'visitor' as column_name, bin, 'abcd'[bin + 1] as category "
    f"from {VERSIONS}, range(4) as places (bin)",
    "monitored_bins": "select 'm' as model_name, date '2024-03-01' as window_start_on, "
    "'now' as rows_hash, true as is_new, row_count as matured_rows, simulated.* replace ("
    "positives::bigint as positives, expected_positives::decimal(38, 12) as expected_positives, "
    "variance::decimal(38, 12) as variance, squared_error::decimal(38, 12) as squared_error, "
    "error_variance::decimal(38, 12) as error_variance) from simulated",
    "scored_rows": "select 't' as task_name, 'm' as model_name, visits.*, subject_id as entity_id, "
    "date '2024-03-05' as as_of_on, 'new' as sample_role, 'h' as features_hash from visits",
    "scored_segments": "select task_name, entity_id, as_of_on, 's' as segment from scored_rows "
    "limit 0",
    "scored_candidates": "select *, entity_id as product_id from scored_rows limit 0",
}


def judged(
    compiled: dict[str, str], shop: Shop, made: Simulated, query: str, *, counts_visitors: bool
) -> list[tuple[Any, ...]]:
    """A query on what slice_performance says (`said`) and on slice_measures.

    `counts_visitors` says whether monitored_windows is made from the rows; it says else that
    nobody comes twice.
    """
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as shop; create schema shop.insights_internal")
        connection.execute("use shop.insights_internal")
        connection.register("simulated", made.bins)
        connection.register("visits", made.rows)
        for name in re.findall(r'"(\w+_trained)"', compiled["slice_measures"]):
            columns = f"{STORED}, profile varchar, decision_number bigint"
            connection.execute(f"create table {name} ({columns})")
        stored = {"slices": slices(), "validation_rows": shop.validation_rows}
        for name, rows in READ.items():
            values = stored if "$slices" in rows else {}
            connection.execute(f"create or replace table {name} as {rows}", values)
        if counts_visitors:
            windows = compiled["monitored_windows"]
            connection.execute(
                f"create or replace table monitored_windows as select * replace "
                f"(date '2024-03-01' as window_start_on, 'now' as rows_hash) from ({windows})"
            )
        connection.execute(f"create table slice_measures as {compiled['slice_measures']}")
        connection.execute(f"create table said as {compiled['slice_performance']}")
        return connection.execute(query).fetchall()


# Of each window: whether a slice would alarm by itself, whether any does, and whether it is harm.
ALARMS = (
    "select sum(one_by_one::int), sum(miscalibrated::int), sum(harmful::int) from ("
    f"select min(p_value) < {RATE} as one_by_one, bool_or(is_miscalibrated) as miscalibrated, "
    "bool_or(is_harmful) as harmful from said inner join slice_measures as measures "
    "using (model_version, slice) group by model_version)"
)


@pytest.mark.parametrize("name", SHOPS)
def test_of_sound_windows_at_most_one_in_a_hundred_has_an_alarm(
    compiled: dict[str, str], name: str
) -> None:
    made = simulated(SHOPS[name], np.random.default_rng(20240101))
    ((one_by_one, miscalibrated, harmful),) = judged(
        compiled, SHOPS[name], made, ALARMS, counts_visitors=False
    )
    assert harmful <= miscalibrated <= MOST_ALARMS
    # They do occur, and slices that are each held against the rate alone raise many times as many.
    assert harmful > 0
    assert one_by_one > 3 * MOST_ALARMS


def test_visitors_who_come_again_raise_no_more_alarms(compiled: dict[str, str]) -> None:
    shop = SHOPS["as many rows as validated on"]
    made = simulated(shop, np.random.default_rng(20240101), likeness=0.4)
    (_, as_rows, _), (_, as_visitors, harmful) = (
        judged(compiled, shop, made, ALARMS, counts_visitors=counts_visitors)[0]
        for counts_visitors in (False, True)
    )
    assert 0 < harmful <= as_visitors <= MOST_ALARMS
    assert as_rows > 5 * MOST_ALARMS
    # As in Python, by which training tells.
    ((version, found),) = judged(
        compiled,
        shop,
        made,
        "select model_version, error_design_effect from monitored_windows "
        "order by error_design_effect desc limit 1",
        counts_visitors=True,
    )
    rows = made.rows.filter(pc.equal(made.rows["model_version"], version))
    errors = rows["is_positive"].to_numpy().astype(float) - rows["score"].to_numpy()
    assert found == pytest.approx(design_effect(errors, rows["subject_id"].to_numpy()), rel=1e-9)
    assert found > 1


def test_a_fault_in_one_slice_is_found_there(compiled: dict[str, str]) -> None:
    shop = SHOPS["as many rows as validated on"]
    found = dict(
        judged(
            compiled,
            shop,
            simulated(shop, np.random.default_rng(20240101), fault=1.5),
            "select slice, avg(is_harmful::int) from said group by slice",
            counts_visitors=True,
        )
    )
    assert found.pop("visitor = b") > 0.95
    # Those to whom nothing happened; other slices hold some of these visitors.
    assert max(found[f"visitor = {level}"] for level in "acd") < RATE
    assert max(found.values()) < 0.9
