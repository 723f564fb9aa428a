{#
  The tasks whose scores are watched: `scored` holds the scores, `trained` is the decision log, `features`
  where the features stand, and `join` finds a scored row's features. A further task is a further entry here
  and a further arm of `scored_rows` and of `scored_segments`. Rows that are no rows of their own, as the
  candidates of one customer, have a relation of their own and are watched for drift alone.
#}
{% macro monitored_tasks() %}
    {% set tasks = [
        {
            'task_name': 'churn',
            'scored': ref('scored_rows'),
            'trained': ref('churn_trained'),
            'features': ref('customer_features'),
            'join': 'scored.entity_id = features.customer_id and scored.as_of_on = features.as_of_on',
        },
        {
            'task_name': 'product_recommendations',
            'scored': ref('scored_candidates'),
            'trained': ref('product_recommendations_trained'),
            'features': ref('product_recommendations_training_set'),
            'join': 'scored.entity_id = features.customer_id and scored.product_id = features.product_id '
                ~ 'and scored.as_of_on = features.as_of_on',
        },
        {
            'task_name': 'purchase_intent',
            'scored': ref('scored_rows'),
            'trained': ref('purchase_intent_trained'),
            'features': ref('session_features'),
            'join': 'scored.entity_id = features.session_id',
        },
    ] %}
    {# A text is no column that could drift; what describes it is: its language and its length. #}
    {% if is_sentiment_monitored() %}
        {% do tasks.append({
            'task_name': 'review_sentiment',
            'scored': ref('scored_rows'),
            'trained': ref('review_sentiment_trained'),
            'features': ref('review_sentiment_examples'),
            'join': 'scored.entity_id = features.review_id',
        }) %}
    {% endif %}
    {% do return(tasks) %}
{% endmacro %}

{# Whether the sentiment is a model of ours: the other engines' learn nothing here. #}
{% macro is_sentiment_monitored() %}{% do return(setting_value('text_engine') == 'embedded') %}{% endmacro %}
