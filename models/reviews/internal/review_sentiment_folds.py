"""Models for texts that are older than the first champion: each knew earlier ratings only."""

from customer_insights.engine import open_warehouse
from customer_insights.text.folds import train_folds


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    folds = train_folds(
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("review_sentiment_trained")),
        examples=warehouse.relation(dbt.ref("review_sentiment_examples")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(folds)
