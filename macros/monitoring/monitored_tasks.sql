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

{# The first day of the window that a date lies in. #}
{% macro monitoring_window(date_column) -%}
    cast({{ dbt.date_trunc(setting_value('monitoring_interval'), date_column) }} as date)
{%- endmacro %}

{# The last day of a window, of its first. #}
{% macro monitoring_window_end(window_start) -%}
    cast({{ dbt.dateadd(setting_value('monitoring_interval'), 1, window_start) }} as date) - 1
{%- endmacro %}
