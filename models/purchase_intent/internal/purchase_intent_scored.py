"""Scores the sessions that the serving purchase-intent models have not scored yet."""

import pyarrow as pa

from customer_insights.engine import open_warehouse
from customer_insights.scoring import score_rows

CARRIED = {
    "session_id": pa.string(),
    "customer_id": pa.string(),
    "session_on": pa.date32(),
    "features_hash": pa.string(),
}


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    scores = score_rows(
        carried=CARRIED,
        keys=["session_id"],
        date_column="session_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("purchase_intent_trained")),
        features=warehouse.relation(dbt.ref("session_features")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(scores)
