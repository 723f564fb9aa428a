"""A small web shop made from a seed: six raw tables that join, and the truth behind them.

`python -m customer_insights.sample --out seeds/sample --prefix sample_` makes the committed sample.
"""

from customer_insights.sample.config import ShopConfig, ShopConfigError
from customer_insights.sample.contract import (
    CHURN_TRUTH_SCHEMA,
    PRODUCT_TRUTH_SCHEMA,
    RAW_SCHEMAS,
    REVIEW_TRUTH,
    REVIEW_TRUTH_SCHEMA,
    TRUTH,
    TRUTH_SCHEMA,
    TRUTH_SCHEMAS,
)
from customer_insights.sample.customer_truth import churn_truth, product_truth
from customer_insights.sample.generator import generate_blocks
from customer_insights.sample.scenarios import SCENARIOS, bad_row_counts
from customer_insights.sample.writers import write_csv, write_parquet

__all__ = [
    "CHURN_TRUTH_SCHEMA",
    "PRODUCT_TRUTH_SCHEMA",
    "RAW_SCHEMAS",
    "REVIEW_TRUTH",
    "REVIEW_TRUTH_SCHEMA",
    "SCENARIOS",
    "TRUTH",
    "TRUTH_SCHEMA",
    "TRUTH_SCHEMAS",
    "ShopConfig",
    "ShopConfigError",
    "bad_row_counts",
    "churn_truth",
    "generate_blocks",
    "product_truth",
    "write_csv",
    "write_parquet",
]
