"""Values that a client binds to `?`, as Python values.

https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-example
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fakesnow.converter import from_binding


def values_of(bindings: dict[str, Any] | None) -> list[list[Any]]:
    """One list of values for each time that the statement runs."""
    if not bindings:
        return [[]]
    ordered = [bindings[str(place)] for place in range(1, len(bindings) + 1)]
    if not any(isinstance(binding["value"], list) for binding in ordered):
        return [[_value(binding["type"], binding["value"]) for binding in ordered]]
    columns = [
        [_value(binding["type"], value) for value in binding["value"]] for binding in ordered
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _value(type_: str, value: str | None) -> Any:
    if value is None:
        return None
    if type_ == "REAL":
        return float(value)
    if type_ == "FIXED" and "." in str(value):
        return Decimal(value)
    return from_binding({"type": type_, "value": value})
