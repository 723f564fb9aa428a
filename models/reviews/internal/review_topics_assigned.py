"""Gives each text that has none yet its topic among those in force."""

from customer_insights.engine import open_warehouse
from customer_insights.topics.assigning import assign_topics


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    assigned = assign_topics(
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("topics_trained")),
        texts=warehouse.relation(dbt.ref("review_distinct_texts")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(assigned)
