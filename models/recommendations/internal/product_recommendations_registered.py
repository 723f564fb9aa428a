"""Brings Snowflake's Model Registry in step with the decision log. On Snowflake only."""

from customer_insights.engine import open_warehouse
from customer_insights.registry import SnowflakeRegistry, register_versions


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    registered = register_versions(
        SnowflakeRegistry(session, dbt.this.database, dbt.this.schema),
        keys=["customer_id", "as_of_on", "product_id"],
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("product_recommendations_trained")),
        features=warehouse.relation(dbt.ref("product_candidates_to_score")),
    )
    return warehouse.write(registered)
