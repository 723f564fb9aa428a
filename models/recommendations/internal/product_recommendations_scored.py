"""Scores the candidate products that the serving ranker has not scored yet."""

import pyarrow as pa

from customer_insights.engine import open_warehouse
from customer_insights.scoring import score_rows

CARRIED = {
    "customer_id": pa.string(),
    "as_of_on": pa.date32(),
    "product_id": pa.string(),
    "features_hash": pa.string(),
}


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    scores = score_rows(
        carried=CARRIED,
        keys=["customer_id", "as_of_on", "product_id"],
        date_column="as_of_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("product_recommendations_trained")),
        features=warehouse.relation(dbt.ref("product_candidates_to_score")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(scores)
