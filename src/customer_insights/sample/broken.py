"""Rows that break the rules of the raw contract, made from good rows."""

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa

from customer_insights.sample.config import ShopConfigError
from customer_insights.sample.contract import KEYS, RAW_SCHEMAS
from customer_insights.sample.scenarios import BadRows


def broken_tables(
    good: Mapping[str, pa.Table], bad_rows: tuple[BadRows, ...]
) -> dict[str, pa.Table]:
    """Make the bad rows of each raw table, with the types of the contract.

    Args:
        good: tables whose first rows are copied.
        bad_rows: what to break.

    Raises:
        ShopConfigError: a table has no row to copy.

    """
    made: dict[str, list[dict[str, object]]] = {name: [] for name in RAW_SCHEMAS}
    used: Counter[str] = Counter()
    for bad in bad_rows:
        rows = good[bad.table].num_rows
        if rows == 0:
            raise ShopConfigError(
                f"This scenario copies rows of {bad.table}, but so small a shop has none."
            )
        for _ in range(bad.count):
            copied = used[bad.table] % rows
            used[bad.table] += 1
            row = good[bad.table].slice(copied, 1).to_pylist()[0] | bad.changes
            if not bad.keeps_key:
                # The last part: a broken line of an order stays in an order that exists.
                key = KEYS[bad.table][-1]
                row[key] = _own_key(row[key], used[bad.table])
            made[bad.table].append(row)
    return {name: pa.Table.from_pylist(made[name], schema=RAW_SCHEMAS[name]) for name in made}


def _own_key(copied: object, number: int) -> object:
    """A key that no good row has: line numbers of good rows are positive."""
    return f"{copied[0]}-broken-{number}" if isinstance(copied, str) else -number
