"""Counts what makes a review worth reading in the texts that have not been counted yet."""

from customer_insights.engine import open_warehouse
from customer_insights.text.details import count_details


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    details = count_details(
        run_context=warehouse.relation(dbt.ref("run_context")),
        catalog=warehouse.relation(dbt.ref("aspect_catalog")),
        aspect_terms=warehouse.relation(dbt.ref("aspect_vocabulary")),
        opinion_terms=warehouse.relation(dbt.ref("opinion_vocabulary")),
        detail_terms=warehouse.relation(dbt.ref("detail_vocabulary")),
        texts=warehouse.relation(dbt.ref("review_contents")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(details)
