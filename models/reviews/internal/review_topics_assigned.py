"""Gives each text that has none yet its topic among those in force."""

from customer_insights.engine import open_warehouse
from customer_insights.topics.assigning import assign_topics


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    assigned = assign_topics(
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("topics_trained")),
        texts=warehouse.relation(dbt.ref("review_texts")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(assigned)
