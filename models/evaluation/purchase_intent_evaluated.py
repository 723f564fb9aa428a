"""Measures the purchase-intent training recipe many times over. Slow; only built on demand."""

from customer_insights.engine import relation
from customer_insights.repeated_evaluation import evaluate_task


def model(dbt, session):
    return evaluate_task(
        "purchase_intent",
        keys=["session_id"],
        date_column="session_on",
        run_context=relation(dbt.ref("run_context")),
        model_features=relation(dbt.ref("model_features")),
        training_set=relation(dbt.ref("purchase_intent_training_set")),
    )
