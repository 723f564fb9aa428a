"""Measures the purchase-intent training recipe many times over. Slow; only built on demand."""

from customer_insights.engine import open_warehouse
from customer_insights.repeated_evaluation import evaluate_task


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    evaluations = evaluate_task(
        "purchase_intent",
        keys=["session_id"],
        date_column="session_on",
        alike=["visitor_id"],
        run_context=warehouse.relation(dbt.ref("run_context")),
        model_features=warehouse.relation(dbt.ref("model_features")),
        training_set=warehouse.relation(dbt.ref("purchase_intent_training_set")),
    )
    return warehouse.write(evaluations)
