"""Scores the sessions that the serving purchase-intent models have not scored yet."""

import pyarrow as pa

from customer_insights.engine import past_rows, relation
from customer_insights.scoring import score_rows


def model(dbt, session):
    return score_rows(
        carried={
            "session_id": pa.string(),
            "customer_id": pa.string(),
            "session_on": pa.date32(),
            "features_hash": pa.string(),
        },
        keys=["session_id"],
        date_column="session_on",
        run_context=relation(dbt.ref("run_context")),
        trained=relation(dbt.ref("purchase_intent_trained")),
        features=relation(dbt.ref("session_features")),
        past=past_rows(dbt, session),
    )
