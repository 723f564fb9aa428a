"""Decides for each churn model whether to train, and what serves. Append-only."""

from customer_insights.engine import open_warehouse
from customer_insights.training import train_task


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    decisions = train_task(
        "churn",
        keys=["customer_id", "as_of_on"],
        date_column="as_of_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        model_features=warehouse.relation(dbt.ref("model_features")),
        training_set=warehouse.relation(dbt.ref("churn_training_set")),
        past=warehouse.past_rows(),
        alike=["customer_id"],
        tuning_trials=warehouse.relation(dbt.ref("tuning_trials")),
    )
    return warehouse.write(decisions)
