"""Explains the top churn scores that have no explanation yet."""

from customer_insights.engine import open_warehouse
from customer_insights.explaining import explain_scores


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    explanations = explain_scores(
        entity="customer_id",
        date_column="as_of_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("churn_trained")),
        scored=warehouse.relation(dbt.ref("churn_scored")),
        features=warehouse.relation(dbt.ref("customer_features")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(explanations)
