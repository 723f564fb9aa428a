"""Decides for each purchase-intent model whether to train, and what serves. Append-only."""

from customer_insights.engine import past_rows, relation
from customer_insights.training import train_task


def model(dbt, session):
    return train_task(
        "purchase_intent",
        keys=["session_id"],
        date_column="session_on",
        run_context=relation(dbt.ref("run_context")),
        model_features=relation(dbt.ref("model_features")),
        training_set=relation(dbt.ref("purchase_intent_training_set")),
        past=past_rows(dbt, session),
    )
