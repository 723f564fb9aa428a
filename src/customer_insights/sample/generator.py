"""The shop, block by block."""

from collections.abc import Iterator

import pyarrow as pa

from customer_insights.sample.broken import broken_tables
from customer_insights.sample.calendar import Calendar
from customer_insights.sample.config import ShopConfig
from customer_insights.sample.contract import SCHEMAS, TRUTH, TRUTH_SCHEMAS
from customer_insights.sample.orders import (
    customers_table,
    make_orders,
    order_items_table,
    orders_table,
)
from customer_insights.sample.outcomes import truth_table
from customer_insights.sample.people import block_sizes, make_people
from customer_insights.sample.products import Products, make_products, products_table
from customer_insights.sample.reviews import review_tables
from customer_insights.sample.session_table import sessions_table
from customer_insights.sample.shopping import go_shopping


def generate_blocks(config: ShopConfig) -> Iterator[dict[str, pa.Table]]:
    """Yield the shop in blocks of people, each small enough for memory.

    Every block has all raw tables and the truths (`session_truth`, `review_truth`), some perhaps
    empty, with the types of `contract.SCHEMAS`. Rows are in key order within a block and from block
    to block; bad rows of a scenario come last, in a block of their own. Products are in the first
    block.

    Raises:
        ShopConfigError: the scenario needs more rows than the shop has.

    """
    calendar = Calendar.of(config)
    products = make_products(config)
    first: dict[str, pa.Table] = {}
    for block, size in enumerate(block_sizes(config)):
        tables = _block(config, calendar, products, block, size)
        first = first or tables
        yield tables
    if config.rules.bad_rows:
        bad = broken_tables(first, config.rules.bad_rows)
        yield bad | {name: schema.empty_table() for name, schema in TRUTH_SCHEMAS.items()}


def _block(
    config: ShopConfig, calendar: Calendar, products: Products, block: int, size: int
) -> dict[str, pa.Table]:
    people = make_people(config, block, size)
    sessions, outcomes = go_shopping(config, calendar, people, products, block)
    orders = make_orders(config, products, sessions, outcomes, block)
    assortment = products_table(config, products)
    return {
        "sessions": sessions_table(config, people, products, sessions, outcomes, block=block),
        "customers": customers_table(config, people, sessions, outcomes),
        "products": assortment if block == 0 else SCHEMAS["products"].empty_table(),
        "orders": orders_table(config, people, sessions, orders, block),
        "order_items": order_items_table(config, products, orders, block),
        **review_tables(config, people, products, orders, block),
        TRUTH: truth_table(config, sessions, outcomes, block),
    }
