"""Which engine a session belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

from customer_insights.engine.protocol import Warehouse
from customer_insights.errors import EngineError

# Neither engine's packages are there on the other, so each is imported where it runs only.
WAREHOUSES = {
    "duckdb": ("customer_insights.engine.on_duckdb", "DuckDBWarehouse"),
    "snowflake": ("customer_insights.engine.on_snowflake", "SnowflakeWarehouse"),
}


def open_warehouse(dbt: Any, session: Any, packages: Sequence[str] = ()) -> Warehouse:
    """The warehouse that a Python model runs in.

    Args:
        dbt: what dbt hands to `model`.
        session: what dbt hands to it besides.
        packages: what the model declares; functions that it makes in the warehouse have the same.

    Raises:
        EngineError: the session is of an engine that this version does not know.

    """
    kind = type(session)
    # duckdb's own connection, or the cursor that dbt-duckdb wraps around it.
    modules = [part.lstrip("_") for part in kind.__module__.split(".")]
    for engine, (module, name) in WAREHOUSES.items():
        if engine in modules:
            return cast(Warehouse, getattr(import_module(module), name)(dbt, session, packages))
    raise EngineError(
        f"Python models run on {' and '.join(WAREHOUSES)}; "
        f"{kind.__module__}.{kind.__qualname__} is of another engine."
    )
