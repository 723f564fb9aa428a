"""Judges the texts that have no quality yet with a transformer for inference from a folder."""

from customer_insights.engine import open_warehouse
from customer_insights.text.zero_shot import judge_texts


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    judged = judge_texts(
        run_context=warehouse.relation(dbt.ref("run_context")),
        categories=warehouse.relation(dbt.ref("review_quality_categories")),
        texts=warehouse.relation(dbt.ref("review_distinct_texts")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(judged)
