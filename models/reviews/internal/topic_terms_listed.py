"""Lists the terms of the topics in force."""

from customer_insights.engine import open_warehouse
from customer_insights.topics.assigning import list_terms


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    terms = list_terms(
        trained=warehouse.relation(dbt.ref("topics_trained")), past=warehouse.past_rows()
    )
    return warehouse.write(terms)
