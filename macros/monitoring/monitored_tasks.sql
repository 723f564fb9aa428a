{#
  The tasks whose scores are watched. `scored_rows` holds their scores; `trained` is their decision log,
  `features` where their features stand, and `join` finds a scored row's features. A further task is a
  further entry here and a further arm of `scored_rows`.
#}
{% macro monitored_tasks() %}
    {% do return([
        {
            'task_name': 'churn',
            'trained': ref('churn_trained'),
            'features': ref('customer_features'),
            'join': 'scored.entity_id = features.customer_id and scored.as_of_on = features.as_of_on',
        },
        {
            'task_name': 'purchase_intent',
            'trained': ref('purchase_intent_trained'),
            'features': ref('session_features'),
            'join': 'scored.entity_id = features.session_id',
        },
    ]) %}
{% endmacro %}
