"""Searches for better parameters of the ranker of products. Append-only."""

from customer_insights.engine import open_warehouse
from customer_insights.tuning import tune_task


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    trials = tune_task(
        "product_recommendations",
        keys=["customer_id", "as_of_on", "product_id"],
        date_column="as_of_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        model_features=warehouse.relation(dbt.ref("model_features")),
        training_set=warehouse.relation(dbt.ref("product_recommendations_training_set")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(trials)
