"""The one seam between Python and the engine: relations come in, declared columns go out.

Nothing else in the library knows which engine runs. A dbt Python model opens the warehouse that its
session belongs to, reads what it needs as relations, and hands it what is to be written: a table
that Python made, or rows that are to be made of a relation where the relation is.
"""

from customer_insights.engine.opening import open_warehouse
from customer_insights.engine.protocol import Derived, Input, Part, Relation, RowStep, Warehouse
from customer_insights.engine.tables import encode_repeated_texts, table_of

__all__ = [
    "Derived",
    "Input",
    "Part",
    "Relation",
    "RowStep",
    "Warehouse",
    "encode_repeated_texts",
    "open_warehouse",
    "table_of",
]
