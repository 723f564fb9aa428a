"""Recognises the language of the texts that were not looked at yet."""

from customer_insights.engine import open_warehouse
from customer_insights.text.language import detect_languages


def model(dbt, session):
    packages = dbt.config.get("packages")
    warehouse = open_warehouse(dbt, session, packages)
    languages = detect_languages(
        run_context=warehouse.relation(dbt.ref("run_context")),
        texts=warehouse.relation(dbt.ref("review_distinct_texts")),
        past=warehouse.past_rows(),
    )
    return warehouse.write(languages)
