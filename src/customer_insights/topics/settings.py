"""The settings of topics, as the `run_context` table states them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from customer_insights.engine import Relation


@dataclass(frozen=True)
class TopicSettings:
    """What topics read of `run_context`; dbt_project.yml gives unit and reason of each."""

    run_started_at: datetime
    random_seed: int
    topics_by_language: bool
    topic_count_min: int
    topic_count_max: int
    topic_min_texts: int
    topic_max_train_texts: int
    topic_term_min_customers: int
    topic_min_diversity: float
    topic_retrain_share: float
    topic_change_margin: float

    def of_topics(self) -> dict[str, object]:
        """The settings on which the topics of a given set of texts depend."""
        left_out = ("run_started_at", "topic_retrain_share")
        return {name: value for name, value in asdict(self).items() if name not in left_out}


def read_topic_settings(run_context: Relation) -> TopicSettings:
    """Read the one row of `run_context`."""
    names = [field.name for field in fields(TopicSettings)]
    (row,) = run_context.select(*names).read().to_pylist()
    return TopicSettings(**row)
