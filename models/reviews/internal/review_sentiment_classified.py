"""Scores the texts that have no sentiment yet with a transformer from a folder."""

from customer_insights.engine import open_warehouse
from customer_insights.text.huggingface import classify_texts


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    classified = classify_texts(
        run_context=warehouse.relation(dbt.ref("run_context")),
        texts=warehouse.relation(dbt.ref("review_distinct_texts")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(classified)
