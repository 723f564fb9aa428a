"""Searches for better parameters of the churn model. Append-only."""

from customer_insights.engine import open_warehouse
from customer_insights.tuning import tune_task


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    trials = tune_task(
        "churn",
        keys=["customer_id", "as_of_on"],
        date_column="as_of_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        model_features=warehouse.relation(dbt.ref("model_features")),
        training_set=warehouse.relation(dbt.ref("churn_training_set")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(trials)
