"""Decides for the ranker of products whether to train, and what serves. Append-only."""

from customer_insights.engine import open_warehouse
from customer_insights.recipe import RANKER
from customer_insights.training import train_task


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    decisions = train_task(
        "product_recommendations",
        keys=["customer_id", "as_of_on", "product_id"],
        date_column="as_of_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        model_features=warehouse.relation(dbt.ref("model_features")),
        training_set=warehouse.relation(dbt.ref("product_recommendations_training_set")),
        past=warehouse.past_rows(),
        alike=["customer_id", "product_id"],
        recipe=RANKER,
        tuning_trials=warehouse.relation(dbt.ref("tuning_trials")),
    )
    return warehouse.write(decisions)
