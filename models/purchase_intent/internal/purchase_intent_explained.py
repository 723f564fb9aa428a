"""Explains the top purchase-intent scores that have no explanation yet."""

from customer_insights.engine import past_rows, relation
from customer_insights.explaining import explain_scores


def model(dbt, session):
    return explain_scores(
        entity="session_id",
        date_column="session_on",
        run_context=relation(dbt.ref("run_context")),
        trained=relation(dbt.ref("purchase_intent_trained")),
        scored=relation(dbt.ref("purchase_intent_scored")),
        features=relation(dbt.ref("session_features")),
        past=past_rows(dbt, session),
    )
