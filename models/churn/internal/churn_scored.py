"""Scores the active customers that the serving churn models have not scored yet."""

import pyarrow as pa

from customer_insights.engine import open_warehouse
from customer_insights.scoring import score_rows

CARRIED = {"customer_id": pa.string(), "as_of_on": pa.date32(), "features_hash": pa.string()}


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    scores = score_rows(
        carried=CARRIED,
        keys=["customer_id", "as_of_on"],
        date_column="as_of_on",
        run_context=warehouse.relation(dbt.ref("run_context")),
        trained=warehouse.relation(dbt.ref("churn_trained")),
        features=warehouse.relation(dbt.ref("churn_population")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(scores)
