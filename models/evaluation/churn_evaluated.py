"""Measures the churn training recipe at several origins, many times over. Slow; built on demand."""

from customer_insights.engine import open_warehouse
from customer_insights.repeated_evaluation import evaluate_task


def model(dbt, session):
    warehouse = open_warehouse(dbt, session)
    evaluations = evaluate_task(
        "churn",
        keys=["customer_id", "as_of_on"],
        date_column="as_of_on",
        matured_column="matured_on",
        alike=["customer_id"],
        run_context=warehouse.relation(dbt.ref("run_context")),
        model_features=warehouse.relation(dbt.ref("model_features")),
        training_set=warehouse.relation(dbt.ref("churn_examples")),
    )
    return warehouse.write(evaluations)
