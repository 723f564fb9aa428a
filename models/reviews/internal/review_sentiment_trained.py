"""Decides for the embedded sentiment whether to train, and what serves. Append-only."""

from customer_insights.engine import open_warehouse
from customer_insights.text.training import SENTIMENT
from customer_insights.training import train_task


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    decisions = train_task(
        "review_sentiment",
        keys=["review_id"],
        date_column="created_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        model_features=warehouse.relation(dbt.ref("model_features")),
        training_set=warehouse.relation(dbt.ref("review_sentiment_training_set")),
        past=warehouse.past_rows(),
        recipe=SENTIMENT,
    )
    return warehouse.write(decisions)
