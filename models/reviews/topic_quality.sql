select
    topic_run_id,
    decision_number,
    decided_at,
    model_version,
    reason,
    text_count,
    trained_text_count,
    no_term_text_count,
    term_count,
    topic_count,
    new_topic_count,
    coherence_npmi,
    diversity,
    stability,
    stability_text_count,
    candidates,
    parameters
from {{ ref('topics_trained') }}
where decision = 'trained'
