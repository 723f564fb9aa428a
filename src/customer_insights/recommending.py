"""What the Snowflake procedure GET_PRODUCT_RECOMMENDATIONS answers, to people and to agents.

An agent reads text, so the answer is JSON; what is wrong with a call is said in it, too, for the
agent to call again. macros/recommendations/ makes the procedure and its queries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any

# A Snowpark session and its rows. Snowpark is no dependency of the library.
Session = Any
Row = Any


def recommend(
    session: Session,
    *,
    query: str,
    segments_query: str,
    limits: Mapping[str, int],
    counts: Mapping[str, int | None],
    segment: str | None,
) -> str:
    """The recommendations as JSON: totals, and each customer's products with their probabilities.

    A probability is null where a rule ranks. A call that asks for what there is not gets
    `{"error": ...}`, one sentence.

    Args:
        session: the Snowpark session of the procedure.
        query: the recommendations; four placeholders: segment twice, customers, products.
        segments_query: the names of all segments.
        limits: the largest `n_customers` and `n_products`.
        counts: what the caller gave for these.
        segment: name of a segment; None for all.

    """
    for name, most in limits.items():
        given = counts[name]
        if given is None or not 1 <= given <= most:
            shown = "null" if given is None else given
            return _error(f"{name} is {shown}; give a whole number from 1 to {most}.")
    if segment is not None:
        known = [row[0] for row in session.sql(segments_query).collect()]
        if segment not in known:
            return _error(f"There is no segment '{segment}'; there are {', '.join(sorted(known))}.")
    bound = [segment, segment, counts["n_customers"], counts["n_products"]]
    return json.dumps(_answer(session.sql(query, params=bound).collect()))


def _error(sentence: str) -> str:
    return json.dumps({"error": sentence})


def _answer(rows: list[Row]) -> dict[str, Any]:
    if not rows:
        return {"customer_count": 0, "recommendation_count": 0, "customers": []}
    customers = [
        {
            "customer_id": customer_id,
            "segment": segment,
            "products": [
                {
                    "rank": int(row["RANK"]),
                    "product_id": row["PRODUCT_ID"],
                    "product_name": row["PRODUCT_NAME"],
                    "category": row["CATEGORY"],
                    "probability": None if row["SCORE"] is None else float(row["SCORE"]),
                }
                for row in products
            ],
        }
        for (customer_id, segment), products in groupby(
            rows, key=lambda row: (row["CUSTOMER_ID"], row["SEGMENT"])
        )
    ]
    return {
        "as_of_on": rows[0]["AS_OF_ON"].isoformat(),
        "ranked_by": rows[0]["RANKER"],
        "model_version": rows[0]["MODEL_VERSION"],
        "customer_count": len(customers),
        "recommendation_count": len(rows),
        "customers": customers,
    }
