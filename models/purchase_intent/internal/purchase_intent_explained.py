"""Explains the top purchase-intent scores that have no explanation yet."""

from customer_insights.engine import open_warehouse
from customer_insights.explaining import explain_scores


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    explanations = explain_scores(
        entity="session_id",
        date_column="session_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("purchase_intent_trained")),
        scored=warehouse.relation(dbt.ref("purchase_intent_scored")),
        features=warehouse.relation(dbt.ref("session_features")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(explanations)
