"""A small web shop made from a seed: six raw tables that join, and the truth behind them.

`python -m customer_insights.sample --out seeds/sample --prefix sample_` makes the committed sample.
"""

from customer_insights.sample.config import ShopConfig, ShopConfigError
from customer_insights.sample.contract import RAW_SCHEMAS, TRUTH, TRUTH_SCHEMA
from customer_insights.sample.generator import generate_blocks
from customer_insights.sample.scenarios import SCENARIOS, bad_row_counts
from customer_insights.sample.writers import write_csv, write_parquet

__all__ = [
    "RAW_SCHEMAS",
    "SCENARIOS",
    "TRUTH",
    "TRUTH_SCHEMA",
    "ShopConfig",
    "ShopConfigError",
    "bad_row_counts",
    "generate_blocks",
    "write_csv",
    "write_parquet",
]
