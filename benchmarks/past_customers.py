"""What the ranker of products loses by learning from FEW customers of a past date, not from MANY.

The shop is that of benchmarks/recommendations.py. The candidates of MANY customers on each past
date are made once; the ranker learns from those whom the setting `recommendation_past_customers`
would choose at FEW, and at MANY. Both rank the candidates of all customers of the test date, whom
neither has seen. Prints hit rate@10 and NDCG@10 as `recommendation_quality` has them, their paired
differences with 95 % intervals over customers, and what each training took.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from recommendations import CUSTOMERS, PRODUCTS, make_shop, report
from run import PROJECT, Pair

from customer_insights.catalog import Feature
from customer_insights.engine import encode_repeated_texts
from customer_insights.metrics import Floats
from customer_insights.model import Examples, fit

RESULTS = PROJECT / "build" / "benchmark_past_customers.json"
FEW, MANY = 5_000, 20_000
PLACES = 10
MODELS = ("+product_recommendations_training_set", "model_features")
SEED = 20240101

# The order of `recommendation_customers`: by the hash of the id, among those who bought.
ROWS = """
with

places as (

    select
        customer_id,
        as_of_on,
        row_number() over (
            partition by as_of_on
            order by md5(customer_id), customer_id
        ) as place
    from (
        select distinct customer_id, as_of_on
        from insights_internal.product_recommendations_training_set
        where split = '{split}'
    )

)

select {columns}
from insights_internal.product_recommendations_training_set as rows
inner join places using (customer_id, as_of_on)
where rows.split = '{split}' and places.place <= {most}
order by customer_id, as_of_on, product_id
"""
BOUGHT = """
select
    outcomes.customer_id,
    count(*) as bought
from insights_internal.recommendation_outcomes as outcomes
inner join insights_internal.recommendation_dates as dates using (as_of_on)
where dates.split = 'test'
group by outcomes.customer_id
"""


def features_of(connection: duckdb.DuckDBPyConnection) -> tuple[Feature, ...]:
    """What the ranker reads, in the order of the names."""
    return tuple(
        Feature(name=name, kind=kind, is_calendar=is_calendar)
        for name, kind, is_calendar in connection.execute(
            "select feature, kind, is_calendar from insights_internal.model_features "
            "where task = 'product_recommendations' order by feature"
        ).fetchall()
    )


def examples(
    connection: duckdb.DuckDBPyConnection, features: tuple[Feature, ...], split: str, most: int
) -> Examples:
    """The rows of a split, of so many customers a date at most, in the order of their keys."""
    names = [feature.name for feature in features]
    query = ROWS.format(split=split, most=most, columns=", ".join([*names, "is_bought"]))
    rows: pa.Table = connection.sql(query).to_arrow_table()
    labels = rows["is_bought"].combine_chunks().to_numpy(zero_copy_only=False).astype(np.bool_)
    return Examples(encode_repeated_texts(rows.select(names), names), labels)


def ranked(
    connection: duckdb.DuckDBPyConnection, test: Examples, scores: Floats, most: int
) -> tuple[Floats, Floats]:
    """Hit and NDCG of each customer's first PLACES products, by the customer's id."""
    keys = connection.sql(
        ROWS.format(split="test", most=most, columns="customer_id, product_id")
    ).to_arrow_table()
    scored = keys.append_column("score", pa.array(scores))
    scored = scored.append_column("is_bought", pa.array(test.labels))
    connection.register("scored", scored)
    found = connection.execute(
        f"""
        with placed as (
            select
                customer_id,
                is_bought,
                row_number() over (
                    partition by customer_id order by score desc, product_id
                ) as place
            from scored
        ),
        gained as (
            select
                customer_id,
                max(cast(is_bought as integer)) as hit,
                sum(case when is_bought then ln(2) / ln(place + 1) else 0 end) as gain
            from placed
            where place <= {PLACES}
            group by customer_id
        )
        select
            gained.hit,
            gained.gain / list_sum([
                ln(2) / ln(place + 1) for place in range(1, least(bought.bought, {PLACES}) + 1)
            ]) as ndcg
        from gained
        inner join ({BOUGHT}) as bought using (customer_id)
        order by customer_id
        """
    ).fetchnumpy()
    connection.unregister("scored")
    return np.asarray(found["hit"], dtype=np.float64), np.asarray(found["ndcg"], dtype=np.float64)


def learn(database: Path, sizes: tuple[int, int]) -> list[dict[str, Any]]:
    """Learn from so many customers a date and rank the test date's; figures of each size."""
    many = max(sizes)
    found: list[dict[str, Any]] = []
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set memory_limit = '1GB'")
        features = features_of(connection)
        test = examples(connection, features, "test", many)
        for most in sizes:
            train = examples(connection, features, "train", most)
            validation = examples(connection, features, "validation", most)
            began_at = time.perf_counter()
            model = fit(train, validation, features, seed=SEED, threads=os.cpu_count() or 1)
            seconds = time.perf_counter() - began_at
            hit, ndcg = ranked(connection, test, model.score(test.rows, os.cpu_count() or 1), many)
            found.append(
                {
                    "customers_a_date": most,
                    "train_rows": len(train.labels),
                    "rounds": model.rounds,
                    "seconds": seconds,
                    "hit": hit,
                    "ndcg": ndcg,
                }
            )
            print(
                f"{most:>7,} customers a date  {len(train.labels):>10,} rows  "
                f"{model.rounds:>5} rounds  {seconds:>7.1f} s  hit rate@10 {hit.mean():.4f}  "
                f"NDCG@10 {ndcg.mean():.4f}  of {len(hit):,} customers",
                flush=True,
            )
    return found


def difference(few: Floats, many: Floats) -> tuple[float, float, float]:
    """Mean of the second less the first, paired, with the ends of its 95 % interval."""
    gained = many - few
    margin = 1.959963984540054 * gained.std(ddof=1) / np.sqrt(len(gained))
    return float(gained.mean()), float(gained.mean() - margin), float(gained.mean() + margin)


def main() -> int:
    """Measure, print, and write the figures into build/."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help="default: %(default)s")
    parser.add_argument("--products", type=int, default=PRODUCTS, help="default: %(default)s")
    parser.add_argument("--few", type=int, default=FEW, help="default: %(default)s")
    parser.add_argument("--many", type=int, default=MANY, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="keep the database here")
    given = parser.parse_args()
    os.environ["RECOMMENDATION_PAST_CUSTOMERS"] = str(given.many)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        pair = Pair(folder / "past", make_shop(folder, given.customers, given.products), threads=0)
        shutil.rmtree(pair.folder, ignore_errors=True)
        pair.prepare()
        report(pair.dbt("candidates", "run", "--select", *MODELS))
        few, many = learn(pair.database, (given.few, given.many))
    gains = {name: difference(few[name], many[name]) for name in ("hit", "ndcg")}
    for name, (mean, low, high) in gains.items():
        print(
            f"{name}@10, {given.many:,} less {given.few:,}: {mean:+.4f} [{low:+.4f}, {high:+.4f}]"
        )
    RESULTS.parent.mkdir(exist_ok=True)
    written = [
        {name: float(np.mean(value)) for name, value in size.items()} for size in (few, many)
    ]
    RESULTS.write_text(json.dumps({"sizes": written, "gains": gains}, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
