"""Many shops in one database, each with models of its own: what 100 builds would say, from five.

All that SQL computes is of a session, a visitor, a customer, or a model and its window, so shops
that lie side by side do not meet there. The Python models that train and score take all rows for
one shop; here they are called once for each. The ids of a shop begin with its name and a stroke,
and so do the names of its models.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from customer_insights import scoring, training
from customer_insights.engine import Derived
from customer_insights.engine.on_duckdb import DuckDBRelation

train_task, score_rows = training.train_task, scoring.score_rows
# What a process of dbt runs first, so that its Python models do as this module says.
PREAMBLE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import shops_apart
shops_apart.install()
"""


def named(table: pa.Table, shop: str) -> pa.Table:
    """A raw table whose ids begin with the name of the shop."""
    for place, field in enumerate(table.schema):
        if field.name.endswith("_id"):
            ids = pc.binary_join_element_wise(shop, table[field.name], "/")
            table = table.set_column(place, field, ids)
    return table


def install() -> None:
    """Call the library's two functions once for each shop."""
    training.train_task = train_each
    scoring.score_rows = score_each


def train_each(
    task: str,
    *,
    keys: Sequence[str],
    model_features: DuckDBRelation,
    training_set: DuckDBRelation,
    past: DuckDBRelation | None,
    **others: Any,
) -> pa.Table:
    """The decisions of each shop."""
    return pa.concat_tables(
        train_task(
            task,
            keys=keys,
            model_features=DuckDBRelation(
                model_features._rows.project(f"* replace ('{shop}/' || model_name as model_name)")
            ),
            training_set=of_shop(training_set, keys[0], shop),
            past=None if past is None else of_shop(past, "model_name", shop),
            **others,
        )
        for shop in shops(training_set, keys[0])
    )


def score_each(
    *,
    keys: Sequence[str],
    trained: DuckDBRelation,
    features: DuckDBRelation,
    past: DuckDBRelation | None,
    **others: Any,
) -> Derived:
    """The scores of each shop's rows by its own models."""
    derived = [
        score_rows(
            keys=keys,
            trained=of_shop(trained, "model_name", shop),
            features=of_shop(features, keys[0], shop),
            past=None if past is None else of_shop(past, keys[0], shop),
            **others,
        )
        for shop in shops(features, keys[0])
    ]
    return Derived(derived[0].schema, chain.from_iterable(each.parts for each in derived))


def shops(rows: DuckDBRelation, key: str) -> list[str]:
    """The names of the shops that have rows, of which `key` holds an id."""
    found = rows._rows.project(f"split_part({key}, '/', 1)").distinct().fetchall()
    return sorted(name for (name,) in found)


def of_shop(rows: DuckDBRelation, column: str, shop: str) -> DuckDBRelation:
    """The rows of one shop."""
    return DuckDBRelation(rows._rows.filter(f"starts_with({column}, '{shop}/')"))
