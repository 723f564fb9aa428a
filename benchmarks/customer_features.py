"""Hold the features of customers against a query that is written by hand, at sizes that grow.

The shop is made by SQL: so many orders of two lines over two years, of an eighth as many customers,
without sessions and reviews. Both sides read the same accepted rows with the same threads and the
same memory, MEMORY_LIMIT; where that is not enough for the query, it runs once more without.
What counts, within one run:

    time at TIME_ORDERS orders and TIME_DATES as-of dates      at most TIME_FACTOR x the query's
    growth with orders and with as-of dates, log-log slope     at most SLOPE

Budgets are reported, not enforced. The exit code is 1 only where the two disagree about a feature.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "build" / "benchmark_customer_features.json"
ORDERS = (100_000, 300_000, 1_000_000, 3_000_000)
DATES = (3, 6, 12, 24)
TIME_ORDERS, TIME_DATES = 1_000_000, 12
TIME_FACTOR, SLOPE = 1.25, 1.1
TOLERANCE = 1e-9
MEMORY_LIMIT = "3GB"
# What makes the features of the accepted rows.
MODELS = (
    "as_of_dates",
    "customer_orders",
    "customer_order_totals",
    "customer_features_computed",
)

# Columns and types of the raw contract; every choice is a function of a row's number.
SHOP = """
create schema raw;
create table raw.products as
select 'p' || n as product_id, 'product ' || n as name, 'category ' || n % 12 as category,
    cast(1 + n % 90 as decimal(18, 2)) as price_amount, timestamp '2024-12-31' as loaded_at
from range(500) as numbers (n);
create table raw.customers as
select 'c' || n as customer_id, date '2022-01-01' + cast(n % 700 as integer) as signed_up_on,
    cast(null as varchar) as gender, cast(null as integer) as age,
    cast(null as varchar) as location, cast(null as varchar) as plan,
    timestamp '2024-12-31' as loaded_at
from range({orders} // 8) as numbers (n);
create table raw.orders as
select 'o' || n as order_id,
    -- Some come often, some once.
    'c' || cast(floor(pow((hash(n) % 1000003) / 1000003, 2) * ({orders} // 8)) as bigint)
        as customer_id,
    cast(null as varchar) as session_id,
    timestamp '2023-01-01' + to_seconds(cast(hash(n + 7) % 62208000 as bigint)) as ordered_at,
    case hash(n + 11) % 20 when 0 then 'cancelled' when 1 then 'returned' else 'completed' end
        as status,
    ordered_at + to_hours(cast(hash(n + 13) % 200 as integer)) as status_changed_at,
    case hash(n + 17) % 5 when 0 then cast(2.5 as decimal(18, 2)) end as discount_amount,
    cast(null as varchar) as payment_method, timestamp '2024-12-31' as loaded_at
from range({orders}) as numbers (n);
create table raw.order_items as
select 'o' || n as order_id, line_number, 'p' || hash(n * 2 + line_number) % 500 as product_id,
    1 + hash(n + line_number) % 3 as quantity,
    cast(1 + hash(n * 3 + line_number) % 9000 / 100 as decimal(18, 2)) as unit_price_amount,
    timestamp '2024-12-31' as loaded_at
from range({orders}) as numbers (n), (values (1), (2)) as lines (line_number);
"""

# The features as somebody would write them: one query, from the same accepted rows.
BY_HAND = """
with

dates as (

    select
        cast(as_of_at as date) as as_of_on,
        as_of_at
    from (
        select date_trunc('month', max(ordered_at)) - to_months(n) as as_of_at
        from project.insights_staging.stg_orders, range({as_of_dates}) as numbers (n)
        group by n
    )
    where as_of_at > (select min(ordered_at) from project.insights_staging.stg_orders)

),

orders as (

    select
        order_id,
        customer_id,
        ordered_at,
        cast(
            greatest(coalesce(items_amount, 0) - coalesce(discount_amount, 0), 0) as decimal(18, 2)
        ) as amount,
        coalesce(discount_amount, 0) > 0 as is_discounted,
        case
            when status in ('cancelled', 'returned') then coalesce(status_changed_at, ordered_at)
        end as reversed_at,
        not (status = 'cancelled' and coalesce(status_changed_at, ordered_at) <= ordered_at)
            as is_purchase,
        case
            when is_purchase
                then datediff('second', lag(ordered_at) over (
                    partition by customer_id, is_purchase
                    order by ordered_at, order_id
                ), ordered_at)
        end as gap
    from project.insights_staging.stg_orders
    left join (
        select
            order_id,
            sum(quantity * unit_price_amount) as items_amount
        from project.insights_staging.stg_order_items
        group by order_id
    ) using (order_id)

),

seen as (

    select
        customer_id,
        as_of_on,
        as_of_at,
        count(*) filter (is_purchase) as order_count,
        count(*) filter (is_purchase and ordered_at >= as_of_at - interval 7 day)
            as order_count_7d,
        count(*) filter (is_purchase and ordered_at >= as_of_at - interval 30 day)
            as order_count_30d,
        count(*) filter (is_purchase and ordered_at >= as_of_at - interval 60 day)
            as order_count_60d,
        count(*) filter (is_purchase and ordered_at >= as_of_at - interval 90 day)
            as order_count_90d,
        count(*) filter (is_purchase and ordered_at >= as_of_at - interval 180 day)
            as order_count_180d,
        sum(amount) filter (is_purchase) as order_amount,
        sum(amount) filter (is_purchase and ordered_at >= as_of_at - interval 7 day)
            as order_amount_7d,
        sum(amount) filter (is_purchase and ordered_at >= as_of_at - interval 30 day)
            as order_amount_30d,
        sum(amount) filter (is_purchase and ordered_at >= as_of_at - interval 60 day)
            as order_amount_60d,
        sum(amount) filter (is_purchase and ordered_at >= as_of_at - interval 90 day)
            as order_amount_90d,
        sum(amount) filter (is_purchase and ordered_at >= as_of_at - interval 180 day)
            as order_amount_180d,
        min(ordered_at) filter (is_purchase) as first_ordered_at,
        max(ordered_at) filter (is_purchase) as last_ordered_at,
        sum(gap) as gaps,
        sum(gap * gap) as squared_gaps,
        max(gap) as max_gap,
        count(*) filter (reversed_at < as_of_at) as reversals,
        count(*) filter (is_purchase and is_discounted) as discounted,
        max(ordered_at) as newest_order_at
    from orders
    inner join dates on ordered_at < as_of_at
    group by customer_id, as_of_on, as_of_at
    having order_count > 0

),

categories as (

    select
        customer_id,
        as_of_on,
        count(*) as category_count
    from (
        select
            customer_id,
            category,
            min(ordered_at) as first_ordered_at
        from orders
        inner join project.insights_staging.stg_order_items using (order_id)
        inner join project.insights_staging.stg_products using (product_id)
        where is_purchase
        group by customer_id, category
    )
    inner join dates on first_ordered_at < as_of_at
    group by customer_id, as_of_on

)

select
    seen.customer_id,
    seen.as_of_on,
    newest_order_at as history_until_at,
    order_count,
    order_count_7d,
    order_count_30d,
    order_count_60d,
    order_count_90d,
    order_count_180d,
    order_amount,
    coalesce(order_amount_7d, 0) as order_amount_7d,
    coalesce(order_amount_30d, 0) as order_amount_30d,
    coalesce(order_amount_60d, 0) as order_amount_60d,
    coalesce(order_amount_90d, 0) as order_amount_90d,
    coalesce(order_amount_180d, 0) as order_amount_180d,
    cast(order_amount as double) / order_count as mean_order_amount,
    datediff('second', last_ordered_at, as_of_at) / 86400 as days_since_last_order,
    datediff('second', first_ordered_at, as_of_at) / 86400 as days_since_first_order,
    case
        when signed_up_on < seen.as_of_on
            then datediff('second', cast(signed_up_on as timestamp), as_of_at) / 86400
    end as tenure_days,
    gaps / nullif(order_count - 1, 0) / 86400 as mean_days_between_orders,
    sqrt(
        cast(greatest((order_count - 1) * squared_gaps - gaps * gaps, 0) as double)
        / nullif((order_count - 1) * (order_count - 2), 0)
    ) / 86400 as sd_days_between_orders,
    max_gap / 86400 as max_days_between_orders,
    days_since_last_order / nullif(mean_days_between_orders, 0) as recency_in_gaps,
    reversals / order_count as reversal_share,
    discounted / order_count as discount_share,
    category_count,
    -- By which a changed row is told.
    md5(concat_ws(
        '|',
        order_count, order_count_7d, order_count_30d, order_count_60d, order_count_90d,
        order_count_180d, order_amount, order_amount_7d, order_amount_30d,
        order_amount_60d, order_amount_90d, order_amount_180d, mean_order_amount,
        days_since_last_order, days_since_first_order, tenure_days,
        mean_days_between_orders, sd_days_between_orders, max_days_between_orders,
        recency_in_gaps, reversal_share, discount_share, category_count
    )) as features_hash
from seen
left join project.insights_staging.stg_customers as customers
    on seen.customer_id = customers.customer_id
left join categories
    on seen.customer_id = categories.customer_id and seen.as_of_on = categories.as_of_on
"""


def dbt(database: Path, *arguments: str, as_of_dates: int = TIME_DATES) -> dict[str, float]:
    """Run dbt on a database; seconds of each node."""
    folder = database.parent
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("dbt"), *arguments),
            *("--project-dir", PROJECT, "--profiles-dir", folder),
            *("--target-path", folder / "target", "--log-path", folder / "logs"),
        ],
        env=os.environ
        | {
            "AS_OF_DATES": str(as_of_dates),
            "DBT_TARGET": "local",
            "DUCKDB_MEMORY_LIMIT": MEMORY_LIMIT,
            "DUCKDB_PATH": str(database),
            "ML_SCHEMA": "insights",
            "RAW_SCHEMA": "raw",
            "SHOP_SOURCE": "raw",
        },
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"dbt {' '.join(arguments)} failed:\n{done.stdout[-4000:]}")
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    return {entry["unique_id"].split(".")[-1]: entry["execution_time"] for entry in results}


def prepare(folder: Path, orders: int) -> Path:
    """A database with a shop of so many orders, and its accepted rows."""
    shutil.copy(PROJECT / "profiles.example.yml", folder / "profiles.yml")
    database = folder / f"shop_{orders}.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(SHOP.format(orders=orders))
    dbt(database, "seed", "--select", "path:seeds/vocabulary")
    dbt(database, "run", "--select", "+customer_features_computed", "--exclude", *MODELS)
    return database


def by_project(database: Path, as_of_dates: int) -> float:
    """Seconds in which the project makes the features anew."""
    made = dbt(database, "run", "--full-refresh", "--select", *MODELS, as_of_dates=as_of_dates)
    return sum(made[name] for name in MODELS)


def by_hand(database: Path, as_of_dates: int) -> tuple[float, bool, int]:
    """Seconds of the query, if MEMORY_LIMIT was enough for it, and how many values differ.

    Where it was not, the query runs once more with all the memory that there is.
    """
    written = database.with_suffix(".by_hand.duckdb")
    query = BY_HAND.replace("{as_of_dates}", str(as_of_dates))
    for is_limited in (True, False):
        written.unlink(missing_ok=True)
        limits = {"memory_limit": MEMORY_LIMIT} if is_limited else {}
        with duckdb.connect(str(written), config=limits) as connection:
            connection.execute(f"attach '{database}' as project (read_only)")
            began_at = time.perf_counter()
            try:
                connection.execute(f"create table customer_features as {query}")
            except duckdb.OutOfMemoryException:
                continue
            seconds = time.perf_counter() - began_at
            connection.execute("reset memory_limit")
            different = _different_values(connection)
        written.unlink()
        return seconds, is_limited, different
    sys.exit(f"The query by hand needs more memory than there is: {as_of_dates} dates.")


def _different_values(connection: duckdb.DuckDBPyConnection) -> int:
    """Values that differ, rows that only one side has counted as one."""
    names = [row[0] for row in connection.execute("describe customer_features").fetchall()]
    features = [name for name in names if name not in ("customer_id", "as_of_on", "features_hash")]
    different = " + ".join(f"case when {name}_differs then 1 else 0 end" for name in features)
    compared = ", ".join(
        f"case when typeof(own.{name}) = 'DOUBLE' then coalesce(abs(cast(own.{name} as double) - "
        f"cast(theirs.{name} as double)) > {TOLERANCE} * (1 + abs(cast(own.{name} as double))), "
        f"own.{name} is distinct from theirs.{name}) "
        f"else own.{name} is distinct from theirs.{name} end as {name}_differs"
        if name != "history_until_at"
        else f"own.{name} is distinct from theirs.{name} as {name}_differs"
        for name in features
    )
    row = connection.execute(
        f"select coalesce(sum({different}), 0) from (select {compared} "
        "from customer_features as own "
        "full join project.insights_internal.customer_features_computed as theirs "
        "on own.customer_id = theirs.customer_id and own.as_of_on = theirs.as_of_on)"
    ).fetchone()
    assert row
    return int(row[0])


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Exponent with which the time grows, by least squares over logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def main() -> int:
    """Measure, print, and write the figures into build/."""
    found: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as temporary:
        for orders in ORDERS:
            folder = Path(temporary) / str(orders)
            folder.mkdir()
            database = prepare(folder, orders)
            for as_of_dates in DATES if orders == TIME_ORDERS else (TIME_DATES,):
                project = by_project(database, as_of_dates)
                query, is_limited, different = by_hand(database, as_of_dates)
                found.append(
                    {
                        "orders": orders,
                        "as_of_dates": as_of_dates,
                        "project_seconds": project,
                        "by_hand_seconds": query,
                        "is_by_hand_limited": is_limited,
                        "ratio": project / query,
                        "different_values": different,
                    }
                )
                print(
                    f"{orders:>10,} orders {as_of_dates:>3} dates  project {project:>7.2f} s  "
                    f"by hand {query:>7.2f} s  ratio {project / query:.2f}  "
                    f"{different:,} values differ"
                    f"{'' if is_limited else f', by hand needs more than {MEMORY_LIMIT}'}",
                    flush=True,
                )
            shutil.rmtree(folder)
    of_orders = [row for row in found if row["as_of_dates"] == TIME_DATES]
    of_dates = [row for row in found if row["orders"] == TIME_ORDERS]
    (measured,) = (row["ratio"] for row in of_orders if row["orders"] == TIME_ORDERS)
    figures = {
        "ratio": measured,
        "slope_in_orders": slope(
            [int(row["orders"]) for row in of_orders], [row["project_seconds"] for row in of_orders]
        ),
        "slope_in_dates": slope(
            [int(row["as_of_dates"]) for row in of_dates],
            [row["project_seconds"] for row in of_dates],
        ),
    }
    for name, budget in (
        ("ratio", TIME_FACTOR),
        ("slope_in_orders", SLOPE),
        ("slope_in_dates", SLOPE),
    ):
        verdict = "within" if figures[name] <= budget else "OVER"
        print(f"{name.replace('_', ' '):<30}{figures[name]:>8.2f}{budget:>9.2f}  {verdict}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"measured": found, **figures}, indent=1), encoding="utf-8")
    return 1 if math.fsum(row["different_values"] for row in found) else 0


if __name__ == "__main__":
    sys.exit(main())
