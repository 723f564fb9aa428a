"""Measures how well the sentiment of texts agrees with their stars, by language."""

from customer_insights.engine import open_warehouse
from customer_insights.text.sentiment_quality import measure_quality


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    measured = measure_quality(
        run_context=warehouse.relation(dbt.ref("run_context")),
        judged=warehouse.relation(dbt.ref("review_sentiment_judged")),
    )
    return warehouse.write(measured)
