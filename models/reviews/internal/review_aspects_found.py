"""Finds the aspects that the texts speak of which the vocabulary has not read yet."""

from customer_insights.engine import open_warehouse
from customer_insights.text.aspects import find_aspects


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    aspects = find_aspects(
        run_context=warehouse.relation(dbt.ref("run_context")),
        catalog=warehouse.relation(dbt.ref("aspect_catalog")),
        aspect_terms=warehouse.relation(dbt.ref("aspect_vocabulary")),
        opinion_terms=warehouse.relation(dbt.ref("opinion_vocabulary")),
        texts=warehouse.relation(dbt.ref("review_contents")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(aspects)
