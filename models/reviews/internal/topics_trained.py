"""Decides whether to look for topics in the reviews, and finds them. Append-only."""

from customer_insights.engine import open_warehouse
from customer_insights.topics.training import train_topics


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    decision = train_topics(
        run_context=warehouse.relation(dbt.ref("run_context")),
        topic_words=warehouse.relation(dbt.ref("topic_words")),
        texts=warehouse.relation(dbt.ref("review_texts")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(decision)
