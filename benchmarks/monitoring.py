"""Hold all monitoring of many scored rows against the same counts from one scan, written by hand.

The shop is the generated one. What its first build scored with MODEL is copied in SQL until there
are --rows rows, all new to the model and in the months after its test, each with a score a little
of its own; features and labels are copied with them. Both sides read these tables, with the same
threads and the same memory, who goes first in turn:

    the project    all tables of models/monitoring made anew, and all its views read
    by hand        a query for the counts by month and bin of each feature, one for what ranks and
                   errors tell by month and segment, and one for the slices

Then the project runs with nothing new, and with one month more. The project's time is that in which
it makes at least one of its tables (two are made at once), and that of reading; making a view costs
what it costs, whatever the rows. What counts:

    time of all rows, median over the pairs             at most TIME_FACTOR x by hand
    CPU time of them, above a run with nothing new      the same

Budgets are reported, not enforced. The exit code is 1 only where the two disagree about a count or
a sum, or where a month that was over has other counts than before.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from run import MIB, PROJECT, SESSIONS_PER_SCALE, Measured, Pair, make_shop

RESULTS = PROJECT / "build" / "benchmark_monitoring.json"
ROWS = 1_000_000
TIME_FACTOR = 1.5
TOLERANCE = 1e-9
MEMORY_LIMIT = "3GB"
MODEL = "purchase_intent_after_session"
# Months from a row to its copies: more than the rows reach back, so that all are later.
LATER_MONTHS = 14
BUILT = ("--select", "+path:models/monitoring", "--exclude-resource-type", "test")
MONITORING = ("--select", "path:models/monitoring")
ALL, NOTHING_NEW, ONE_MONTH = "all rows", "nothing new", "a month more"
INTERNAL, PUBLIC = "insights_internal", "insights"

# The rows to copy, and by how many months and with which ending of their names.
COPIES = """
create or replace temp table copies as
select
    scored.session_id as copy_of,
    scored.session_id || '{ending}' || copies.number as session_id,
    cast(scored.session_on + to_months({months}) as date) as session_on
from insights_internal.purchase_intent_scored as scored
cross join range(cast({copies} as bigint)) as copies (number)
where scored.model_name = '{model}' and {condition}
order by copies.number, scored.session_id
limit {rows}
"""
# Text goes into the statements below as it stands: copies of one table have the names of another's.
COPY = (
    "insert into insights_internal.session_features_computed by name "
    "select rows.* replace (copies.session_id as session_id, copies.session_on as session_on) "
    "from insights_internal.session_features_computed as rows "
    "inner join copies on rows.session_id = copies.copy_of",
    "insert into insights_internal.session_labels_computed by name "
    "select rows.* replace (copies.session_id as session_id, copies.session_on as session_on, "
    "case when rows.matured_on is not null then copies.session_on + 1 end as matured_on) "
    "from insights_internal.session_labels_computed as rows "
    "inner join copies on rows.session_id = copies.copy_of",
    # Nearly every row has a score of its own, as the scores of different rows have.
    "insert into insights_internal.purchase_intent_scored by name "
    "select rows.* replace (copies.session_id as session_id, copies.session_on as session_on, "
    "'new' as sample_role, "
    "rows.score * (1 - hash(copies.session_id) % 1000003 / 1000003 / 1000) as score) "
    "from insights_internal.purchase_intent_scored as rows "
    f"inner join copies on rows.session_id = copies.copy_of and rows.model_name = '{MODEL}'",
)

# The counts as somebody would write them: one scan, and each feature's bins by month.
COUNTED = """
create table counted as

with

placed as (

    select
        cast(date_trunc('month', scored.session_on) as date) as window_start_on,
        scored.sample_role = 'new' as is_new,
        labels.is_purchase as is_positive,
        case when labels.is_purchase is not null then scored.score end as expected,
        expected * (1 - expected) as variance,
        power(expected - cast(labels.is_purchase as integer), 2) as squared_error,
        expected * (1 - expected) * power(1 - 2 * expected, 2) as error_variance,
        {placed}
    from project.insights_internal.purchase_intent_scored as scored
    inner join project.insights_internal.session_features_computed as features using (session_id)
    left join project.insights_internal.session_labels_computed as labels using (session_id)
    where scored.model_name = '{model}' and scored.sample_role <> 'in_sample' and {condition}

)

select
    window_start_on,
    is_new,
    case {names} end as column_name,
    case {bins} end as bin,
    case {levels} end as category,
    count(*) as row_count,
    count(is_positive) as matured_rows,
    count(*) filter (is_positive) as positives,
    sum(expected) as expected_positives,
    sum(variance) as variance,
    sum(squared_error) as squared_error,
    sum(error_variance) as error_variance
from placed
group by grouping sets ((window_start_on, is_new), {sets})
"""
MEASURED = """
create table measured as

with

by_segment as (

    select
        cast(date_trunc('month', scored.session_on) as date) as window_start_on,
        coalesce(segments.segment, 'not known') as segment,
        scored.score,
        count(*) as row_count,
        count(*) filter (labels.is_purchase) as positives,
        count(*) filter (not labels.is_purchase) as negatives,
        count(*) filter (scored.is_predicted) as predicted_rows,
        count(*) filter (scored.is_predicted and labels.is_purchase) as true_positives,
        count(*) filter (scored.is_predicted and not labels.is_purchase) as false_positives,
        count(*) filter (not scored.is_predicted and labels.is_purchase) as false_negatives
    from project.insights_internal.purchase_intent_scored as scored
    left join project.insights_internal.session_labels_computed as labels using (session_id)
    left join project.insights_internal.scored_segments as segments
        on segments.task_name = 'purchase_intent'
        and segments.entity_id = scored.session_id
        and segments.as_of_on = scored.session_on
    where scored.model_name = '{model}' and scored.sample_role = 'new' and {condition}
    group by all

),

by_score as (

    from by_segment
    union all by name
    select
        window_start_on,
        'all rows' as segment,
        score,
        sum(columns(* exclude (window_start_on, segment, score)))
    from by_segment
    group by all

),

ranked as (

    select
        *,
        sum(positives) over whole as all_positives,
        sum(negatives) over whole as all_negatives,
        sum(negatives) over upwards - negatives / 2 as negatives_below,
        sum(positives) over downwards as positives_from,
        sum(positives + negatives) over downwards as rows_from,
        sum(row_count * (1 - score)) over upwards - row_count * (1 - score) / 2
            as expected_negatives_below
    from by_score
    window
        whole as (partition by window_start_on, segment),
        upwards as (partition by window_start_on, segment order by score),
        downwards as (partition by window_start_on, segment order by score desc)

)

select
    window_start_on,
    segment,
    sum(row_count) as scored_rows,
    sum(positives + negatives) as matured_rows,
    sum(positives) as positives,
    sum(true_positives) as true_positives,
    sum(false_positives) as false_positives,
    sum(false_negatives) as false_negatives,
    sum(predicted_rows) as predicted_rows,
    sum((positives + negatives) * score) as expected_positives,
    sum((positives + negatives) * score * (1 - score)) as variance,
    sum(positives * power(1 - score, 2) + negatives * power(score, 2)) as squared_error,
    sum(positives * power(1 - score, 4) + negatives * power(score, 4)) as squared_squared_error,
    sum(positives * (negatives_below / all_negatives)) as right_positives,
    sum(positives * power(negatives_below / all_negatives, 2)) as right_positives_squared,
    sum(negatives * (positives_from - positives / 2) / all_positives) as right_negatives,
    sum(negatives * power((positives_from - positives / 2) / all_positives, 2))
        as right_negatives_squared,
    sum(positives * (positives_from / nullif(rows_from, 0))) as precision_of_positives,
    sum(row_count * score) as estimated_positives,
    sum(predicted_rows * score) as estimated_true_positives,
    sum(row_count * score * (1 - score)) as estimated_squared_error,
    sum(row_count * score * expected_negatives_below) as estimated_right_pairs
from ranked
group by window_start_on, segment
"""
SLICED = """
create table sliced as
select
    counted.window_start_on,
    slices.slice,
    sum(counted.row_count) as row_count,
    sum(counted.matured_rows) as matured_rows,
    sum(counted.positives) as positives,
    sum(counted.expected_positives) as expected_positives,
    sum(counted.variance) as variance,
    sum(counted.squared_error) as squared_error,
    sum(counted.error_variance) as error_variance
from counted
left join known using (column_name, category)
inner join slices
    on
        counted.column_name = slices.column_name
        and coalesce(counted.bin, known.bin) between slices.first_bin and slices.last_bin
where counted.is_new
group by all
"""

# What each table of the query is held against: the project's table, its key, and what differs.
SUMS = (
    *("row_count", "matured_rows", "positives"),
    *("expected_positives", "variance", "squared_error", "error_variance"),
)
COMPARED = {
    "counted": (
        "monitored_bins",
        ("window_start_on", "is_new", "column_name", "bin", "category"),
        SUMS,
    ),
    "measured": (
        "performance_measured",
        ("window_start_on", "segment"),
        (
            *("scored_rows", "matured_rows", "positives", "expected_positives", "variance"),
            *("true_positives", "false_positives", "false_negatives", "predicted_rows"),
            *("squared_error", "squared_squared_error", "precision_of_positives"),
            *("right_positives", "right_positives_squared"),
            *("right_negatives", "right_negatives_squared"),
            *("estimated_positives", "estimated_true_positives"),
            *("estimated_squared_error", "estimated_right_pairs"),
        ),
    ),
    "sliced": ("slice_measures", ("window_start_on", "slice"), SUMS),
}


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock and of the processor."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Turn:
    """What both sides spent on the same rows, and the values in which they differ.

    The project's seconds are those of its tables and of reading its views, `parts` those of each
    table; its CPU seconds are of all that dbt does. By hand nothing is counted where nothing is
    new.
    """

    what: str
    project: Spent
    by_hand: Spent
    different_values: int
    parts: dict[str, float]


def fill(database: Path, rows: int) -> None:
    """Copy what MODEL scored until there are so many new rows."""
    with duckdb.connect(str(database)) as connection:
        (scored,) = connection.execute(
            f"select count(*) from {INTERNAL}.purchase_intent_scored where model_name = '{MODEL}'"
        ).fetchone() or (0,)
        _copy(
            connection,
            COPIES.format(
                ending="-copy-",
                months=LATER_MONTHS,
                copies=math.ceil(rows / scored),
                model=MODEL,
                condition="true",
                rows=rows,
            ),
        )


def add_month(database: Path) -> str:
    """Copy the newest month into the next one; its first day."""
    with duckdb.connect(str(database)) as connection:
        (first_on,) = connection.execute(
            "select cast(date_trunc('month', max(session_on)) as date) "
            f"from {INTERNAL}.purchase_intent_scored"
        ).fetchone() or (None,)
        _copy(
            connection,
            COPIES.format(
                ending="-later-",
                months=1,
                copies=1,
                model=MODEL,
                condition=f"scored.session_on >= date '{first_on}'",
                rows=ROWS,
            ),
        )
        (added_on,) = connection.execute(
            "select cast(date_trunc('month', max(session_on)) as date) from copies"
        ).fetchone() or (None,)
    return str(added_on)


def _copy(connection: duckdb.DuckDBPyConnection, copies: str) -> None:
    connection.execute(copies)
    for statement in COPY:
        connection.execute(statement)


@contextmanager
def stopwatch() -> Iterator[list[Spent]]:
    """What is done within: one entry, when it is over."""
    spent: list[Spent] = []
    began_at, began_cpu = time.perf_counter(), time.process_time()
    yield spent
    spent.append(Spent(time.perf_counter() - began_at, time.process_time() - began_cpu))


def by_project(pair: Pair, *arguments: str) -> tuple[Measured, float, Spent]:
    """Run what monitors and read all its views.

    Returns:
        What the run took, the seconds in which it was making tables, and what reading took.

    """
    measured = pair.dbt("monitoring", "run", *MONITORING, *arguments)
    making = _seconds_of_tables(pair.folder / "target" / "run_results.json")
    config = {"memory_limit": MEMORY_LIMIT}
    with (
        duckdb.connect(str(pair.database), read_only=True, config=config) as connection,
        stopwatch() as reading,
    ):
        for view in _names():
            connection.execute(f"create temp table {view} as select * from {PUBLIC}.{view}")
    return measured, making, reading[0]


def _seconds_of_tables(results: Path) -> float:
    """Seconds in which at least one table of models/monitoring was being made."""
    times = sorted(
        tuple(datetime.fromisoformat(timing[edge]) for edge in ("started_at", "completed_at"))
        for result in json.loads(results.read_text())["results"]
        if result["unique_id"].split(".")[-1] in _names("internal")
        for timing in result["timing"]
        if timing["name"] == "execute"
    )
    seconds, known_until = 0.0, times[0][0]
    for began_at, ended_at in times:
        seconds += max((ended_at - max(began_at, known_until)).total_seconds(), 0.0)
        known_until = max(known_until, ended_at)
    return seconds


def _names(*folders: str) -> list[str]:
    """The models of a folder of models/monitoring."""
    folder = PROJECT.joinpath("models", "monitoring", *folders)
    return sorted(path.stem for path in folder.glob("*.sql"))


def by_hand(database: Path, condition: str = "true") -> Spent:
    """What the queries by hand take over some rows; what they find stays for `differences`."""
    written = _by_hand_database(database)
    written.unlink(missing_ok=True)
    config = {"memory_limit": MEMORY_LIMIT}
    with duckdb.connect(str(written), config=config) as connection:
        connection.execute(f"attach '{database}' as project (read_only)")
        bins = _lay_out_slices(connection)
        with stopwatch() as spent:
            connection.execute(_counted(bins, condition))
            connection.execute(MEASURED.format(model=MODEL, condition=condition))
            connection.execute(SLICED)
    return spent[0]


def differences(database: Path) -> int:
    """Values in which the tables of the two differ."""
    with duckdb.connect(str(_by_hand_database(database))) as connection:
        connection.execute(f"attach '{database}' as project (read_only)")
        return sum(_different_values(connection, table) for table in COMPARED)


def _by_hand_database(database: Path) -> Path:
    return database.with_name("by_hand.duckdb")


def _lay_out_slices(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Make tables of the slices and the known levels; the bins of the serving version."""
    found = connection.execute(
        "select profile, slices from project.insights_internal.purchase_intent_trained "
        f"where model_name = '{MODEL}' and profile is not null "
        "order by decision_number desc limit 1"
    ).fetchone()
    assert found
    bins: list[dict[str, Any]] = json.loads(found[0])
    connection.execute(
        "create table slices "
        "(slice varchar, column_name varchar, first_bin integer, last_bin integer)"
    )
    connection.executemany(
        "insert into slices values ($slice, $column_name, $first_bin, $last_bin)",
        json.loads(found[1]),
    )
    connection.execute("create table known (column_name varchar, category varchar, bin integer)")
    connection.executemany(
        "insert into known values (?, ?, ?)",
        [
            (entry["column_name"], entry["category"], entry["bin"])
            for entry in bins
            if entry["category"] is not None
        ],
    )
    return bins


def _counted(bins: list[dict[str, Any]], condition: str) -> str:
    """The query of COUNTED with the bins of each column."""
    edges: dict[str, list[str]] = {}
    levels: dict[str, str] = {}
    for entry in bins:
        name = entry["column_name"]
        if entry["kind"] == "level" and name != "label":
            levels[name] = f"cast(features.{name} as varchar) as {name}"
        elif entry["kind"] == "number" and entry["bin"] >= 0:
            edges.setdefault(name, [])
            if entry["upper_edge"] is not None:
                edges[name].append(f"{entry['upper_edge']:.17e}")
    placed = []
    for name, highest in edges.items():
        column = f"scored.{name}" if name == "score" else f"features.{name}"
        cases = [f"when {column} is null then -1"]
        cases += [f"when {column} <= {edge} then {number}" for number, edge in enumerate(highest)]
        placed.append(f"case {' '.join(cases)} else {len(highest)} end as {name}")
    names = [*edges, *levels]
    return COUNTED.format(
        placed=",\n        ".join([*placed, *levels.values()]),
        model=MODEL,
        condition=condition,
        names=" ".join(f"when grouping({name}) = 0 then '{name}'" for name in names),
        bins=" ".join(f"when grouping({name}) = 0 then {name}" for name in edges),
        levels=" ".join(f"when grouping({name}) = 0 then {name}" for name in levels),
        sets=", ".join(f"(window_start_on, is_new, {name})" for name in names),
    )


def _different_values(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Values in which a table differs from the project's; rows only one side has count as one."""
    theirs, keys, values = COMPARED[table]
    condition = " and ".join(f"own.{key} is not distinct from theirs.{key}" for key in keys)
    # `expected` of rows without an outcome is nothing here, and may be zero there.
    differs = " + ".join(
        f"cast(abs(coalesce(cast(own.{value} as double), 0) - coalesce(theirs.{value}, 0)) "
        f"> {TOLERANCE} * (1 + abs(coalesce(theirs.{value}, 0))) as integer)"
        for value in values
    )
    found = connection.execute(
        f"""
        select
            count(*) filter (own.window_start_on is null or theirs.window_start_on is null)
            + coalesce(sum({differs}), 0)
        from (
            select * from project.insights_internal.{theirs}
            where
                model_name = '{MODEL}' {"and slice <> 'all rows'" if table == "sliced" else ""}
                and window_start_on in (select window_start_on from {table})
        ) as own
        full join {table} as theirs on {condition}
        """
    ).fetchone()
    assert found
    return int(found[0])


def counts(database: Path) -> dict[str, str]:
    """A checksum of what is counted of each month, by its first day."""
    with duckdb.connect(str(database), read_only=True) as connection:
        found: dict[str, str] = {}
        for table in ("monitored_bins", "performance_measured"):
            found |= dict(
                connection.execute(
                    f"select '{table} ' || window_start_on, cast(sum(hash(rows)) as varchar) "
                    f"from {INTERNAL}.{table} as rows group by all"
                ).fetchall()
            )
        return found


def take_turn(pair: Pair, *, is_by_hand_first: bool) -> Turn:
    """Monitor all rows anew, and count them by hand."""
    hand = by_hand(pair.database) if is_by_hand_first else None
    project_run = by_project(pair, "--full-refresh")
    hand = hand or by_hand(pair.database)
    return _told(ALL, project_run, hand, differences(pair.database))


def _told(
    what: str, project_run: tuple[Measured, float, Spent], hand: Spent, different: int
) -> Turn:
    measured, making, reading = project_run
    parts = {name: taken for name, taken in measured.parts.items() if name in _names("internal")}
    project = Spent(making + reading.seconds, measured.cpu_seconds + reading.cpu_seconds)
    print(
        f"{what:<14} project {project.seconds:>6.2f} s {project.cpu_seconds:>6.2f} s CPU  "
        f"by hand {hand.seconds:>6.2f} s {hand.cpu_seconds:>6.2f} s CPU  "
        f"{different:,} values differ  {measured.peak_bytes / MIB:,.0f} MiB  "
        f"load {measured.load_before:.2f}",
        flush=True,
    )
    slowest = sorted(parts.items(), key=lambda part: -part[1])[:5]
    shown = ", ".join(f"{name} {taken:.2f}" for name, taken in slowest)
    print(f"  {shown}, reading {reading.seconds:.2f}", flush=True)
    return Turn(what, project, hand, different, parts)


def ratios(turns: Sequence[Turn]) -> dict[str, float]:
    """The figures that budgets are about."""
    pairs = [turn for turn in turns if turn.what == ALL]
    (nothing,) = (turn for turn in turns if turn.what == NOTHING_NEW)
    return {
        "all rows, times by hand": statistics.median(
            turn.project.seconds / turn.by_hand.seconds for turn in pairs
        ),
        "CPU time of them, above nothing new, times by hand": statistics.median(
            (turn.project.cpu_seconds - nothing.project.cpu_seconds) / turn.by_hand.cpu_seconds
            for turn in pairs
        ),
    }


def main() -> int:
    """Measure, print, and write the figures into build/."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS, help="default: %(default)s")
    parser.add_argument("--pairs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="keep data and databases here")
    given = parser.parse_args()
    os.environ |= {"BOOTSTRAP_REPLICATES": "100", "DUCKDB_MEMORY_LIMIT": MEMORY_LIMIT}
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        filled = folder / f"filled-{given.rows}.duckdb"
        if not filled.exists():
            built = Pair(folder / "built", make_shop(SESSIONS_PER_SCALE, folder), threads=0)
            shutil.rmtree(built.folder, ignore_errors=True)
            built.prepare()
            built.dbt("build", "build", *BUILT)
            fill(built.database, given.rows)
            built.database.rename(filled)
        pair = Pair(folder / "monitoring", filled, threads=0)
        shutil.rmtree(pair.folder, ignore_errors=True)
        pair.prepare()
        # Both sides read the copies' segments; by hand comes first in the first turn.
        pair.dbt("segments", "run", "--full-refresh", "--select", "session_segments")
        turns = [take_turn(pair, is_by_hand_first=number % 2 == 0) for number in range(given.pairs)]
        turns.append(_told(NOTHING_NEW, by_project(pair), Spent(), 0))
        before = counts(pair.database)
        added_on = add_month(pair.database)
        project_run = by_project(pair)
        hand = by_hand(pair.database, f"scored.session_on >= date '{added_on}'")
        turns.append(_told(ONE_MONTH, project_run, hand, differences(pair.database)))
        after = counts(pair.database)
    changed = [name for name, found in before.items() if after.get(name) != found]
    figures = ratios(turns)
    for name, found in figures.items():
        verdict = "within" if found <= TIME_FACTOR else "OVER"
        print(f"{name:<52}{found:>8.2f}{TIME_FACTOR:>9.2f}  {verdict}")
    for name in changed:
        print(f"CHANGED  {name} was over and has other counts than before")
    RESULTS.parent.mkdir(exist_ok=True)
    document = {
        "rows": given.rows,
        "cores": os.cpu_count(),
        "turns": [asdict(turn) for turn in turns],
        "changed": changed,
        **figures,
    }
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if changed or any(turn.different_values for turn in turns) else 0


if __name__ == "__main__":
    sys.exit(main())
