"""What it takes to recommend products: candidates, training and scores of a large shop.

The shop is made by SQL: four orders a customer over a year, of three lines each. Half of the lines
are of the customer's eight favourites, the others of what sells; how often falls off with the
product's number. Each step is a process of its own, on DuckDB with its default of memory:

    candidates, and what they are made of    all customers of the newest date, buyers of the past
    training, with its test                  at most `recommendation_past_customers` on each date
    scores and recommendations               of the newest date and the one that is tested on

The exit code is 1 where a customer meets more candidates on a date than the lists are long together
(then customers meet products), or where the newest date leaves a customer without recommendations.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
from run import MIB, PROJECT, Measured, Pair

RESULTS = PROJECT / "build" / "benchmark_recommendations.json"
CUSTOMERS, PRODUCTS = 100_000, 5_000
# The lists that candidates come from, and how often a customer meets each.
LISTS = {
    "recommendation_own_candidates": 1,
    "recommendation_pair_candidates": 1,
    "recommendation_popular_candidates": 4,
}
CANDIDATES, TRAINING, SCORES = "candidates", "training", "scores"
STEPS = {
    CANDIDATES: (
        *("+product_recommendations_training_set", "+product_candidates_to_score"),
        *("run_context", "model_features", "tuning_trials"),
    ),
    TRAINING: ("product_recommendations_trained",),
    SCORES: ("+product_recommendations", "--exclude", "product_recommendations_trained"),
}

# Columns and types of the raw contract; every choice is a function of a row's number.
SHOP = """
create schema raw;
create table raw.products as
select 'p' || n as product_id, 'product ' || n as name, 'category ' || n % 20 as category,
    cast(1 + n % 90 as decimal(18, 2)) as price_amount, timestamp '2024-12-31' as loaded_at
from range({products}) as numbers (n);
create table raw.customers as
select 'c' || n as customer_id, date '2022-01-01' + cast(n % 700 as integer) as signed_up_on,
    cast(null as varchar) as gender, cast(null as integer) as age,
    cast(null as varchar) as location, cast(null as varchar) as plan,
    timestamp '2024-12-31' as loaded_at
from range({customers}) as numbers (n);
create table raw.orders as
select 'o' || n as order_id, 'c' || n % {customers} as customer_id,
    cast(null as varchar) as session_id,
    timestamp '2024-01-01' + to_seconds(cast(hash(n) % 31449600 as bigint)) as ordered_at,
    'completed' as status, cast(null as timestamp) as status_changed_at,
    cast(null as decimal(18, 2)) as discount_amount, cast(null as varchar) as payment_method,
    timestamp '2024-12-31' as loaded_at
from range(4 * {customers}) as numbers (n);
create table raw.order_items as
select 'o' || n as order_id, line_number,
    'p' || cast(floor({products} * pow(
        case hash(n * 5 + line_number) % 2
            when 0 then hash((n % {customers}) * 8 + hash(n * 7 + line_number) % 8) % 1000003
            else hash(n * 11 + line_number) % 1000003
        end / 1000003, 2)) as integer) as product_id,
    1 as quantity, cast(1 + hash(n * 3 + line_number) % 9000 / 100 as decimal(18, 2))
        as unit_price_amount,
    timestamp '2024-12-31' as loaded_at
from range(4 * {customers}) as numbers (n), (values (1), (2), (3)) as lines (line_number);
"""

COUNTS = """
with

by_customer as (

    select
        as_of_on,
        customer_id,
        count(*) as candidates
    from insights_internal.product_candidates_computed
    group by as_of_on, customer_id

)

select
    as_of_on,
    is_newest,
    split,
    count(*) as customers,
    cast(sum(candidates) as bigint) as candidates,
    max(candidates) as most_of_a_customer
from by_customer
inner join insights_internal.recommendation_dates using (as_of_on)
group by as_of_on, is_newest, split
order by as_of_on
"""


def make_shop(folder: Path, customers: int, products: int) -> Path:
    """A database with the raw tables of a shop."""
    database = folder / f"shop-{customers}-{products}.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute(SHOP.format(customers=customers, products=products))
    return database


def rows_of(database: Path, query: str) -> list[dict[str, Any]]:
    """The rows of a query, by column."""
    with duckdb.connect(str(database), read_only=True) as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def longest_list(database: Path) -> int:
    """Candidates that a customer can meet on a date, at most."""
    (settings,) = rows_of(database, f"select {', '.join(LISTS)} from insights_internal.run_context")
    return sum(times * int(settings[name]) for name, times in LISTS.items())


def report(measured: Measured) -> None:
    """Print what a step took, and its slowest models."""
    print(
        f"{measured.step:<58}{measured.seconds:>8.1f} s{measured.cpu_seconds:>8.1f} s CPU"
        f"{measured.peak_bytes / MIB:>8.0f} MiB  load {measured.load_before:.2f}",
        flush=True,
    )
    for name, seconds in sorted(measured.parts.items(), key=lambda part: -part[1])[:4]:
        print(f"  {name:<56}{seconds:>8.1f} s", flush=True)


def main() -> int:
    """Measure, print, and write the figures into build/."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help="default: %(default)s")
    parser.add_argument("--products", type=int, default=PRODUCTS, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="keep the database here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        shop = make_shop(folder, given.customers, given.products)
        pair = Pair(folder / "built", shop, threads=0)
        pair.prepare()
        steps = []
        for step, selection in STEPS.items():
            steps.append(pair.dbt(step, "run", "--select", *selection))
            report(steps[-1])
            if step == CANDIDATES:
                dates = rows_of(pair.database, COUNTS)
        trained = rows_of(
            pair.database,
            "select decision, reason, train_rows, test_rows, boosting_rounds, pr_auc "
            "from insights_internal.product_recommendations_trained",
        )
        limit = longest_list(pair.database)
        (served,) = rows_of(
            pair.database,
            "select count(distinct customer_id) as customers, count(*) as products "
            "from insights.product_recommendations",
        )
    for row in dates:
        share = row["candidates"] / row["customers"] / given.products
        print(
            f"{row['as_of_on']}  {row['split'] or 'served':<11}{row['customers']:>8,} customers"
            f"{row['candidates']:>12,} candidates, {row['most_of_a_customer']} at most, "
            f"{share:.1%} of all products"
        )
    print(f"{trained[0]}\n{served}")
    RESULTS.parent.mkdir(exist_ok=True)
    figures = {
        "customers": given.customers,
        "products": given.products,
        "steps": [asdict(step) for step in steps],
        "dates": dates,
        "trained": trained,
        "served": served,
    }
    RESULTS.write_text(json.dumps(figures, indent=1, default=str), encoding="utf-8")
    (newest,) = (row for row in dates if row["is_newest"])
    is_crossed = max(row["most_of_a_customer"] for row in dates) > limit
    return 1 if is_crossed or served["customers"] < newest["customers"] else 0


if __name__ == "__main__":
    sys.exit(main())
