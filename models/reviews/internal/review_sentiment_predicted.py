"""Scores the texts that have no sentiment yet, each with a model that knew earlier ratings only."""

from customer_insights.engine import open_warehouse
from customer_insights.text.scoring import score_texts


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    scores = score_texts(
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("review_sentiment_trained")),
        folds=warehouse.relation(dbt.ref("review_sentiment_folds")),
        assigned=warehouse.relation(dbt.ref("review_sentiment_texts")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(scores)
