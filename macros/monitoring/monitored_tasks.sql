{#
  The tasks whose scores are watched. `scored_rows` holds their scores; `features` is where their
  features stand, `others` its columns that are none, `codes` those of its numbers that are categories,
  and `join` finds a scored row's features. A
  further task is a further entry here and a further arm of `scored_rows`.
#}
{% macro monitored_tasks() %}
    {% do return([
        {
            'task_name': 'churn',
            'trained': ref('churn_trained'),
            'features': ref('customer_features'),
            'others': ['customer_id', 'features_hash'],
            'codes': [],
            'join': 'scored.entity_id = features.customer_id and scored.as_of_on = features.as_of_on',
        },
        {
            'task_name': 'purchase_intent',
            'trained': ref('purchase_intent_trained'),
            'features': ref('session_features'),
            'others': ['session_id', 'visitor_id', 'customer_id', 'features_hash'],
            'codes': ['operating_systems', 'browser', 'region', 'traffic_type'],
            'join': 'scored.entity_id = features.session_id',
        },
    ]) %}
{% endmacro %}

{#
  The features of such a task by kind, `number` or `level`, from the columns that its table describes:
  those of a date or a time are none.
#}
{% macro monitored_columns(task) %}
    {% set found = {'number': [], 'level': []} %}
    {% if execute %}
        {% for node in graph.nodes.values() if node.get('relation_name') == task.features | string %}
            {% for column in node.columns.values() if column.name not in task.others %}
                {% set family = type_family(column.data_type) %}
                {% if family in ['text', 'boolean'] or column.name in task.codes %}
                    {% do found.level.append(column.name) %}
                {% elif family not in ['date', 'timestamp'] %}
                    {% do found.number.append(column.name) %}
                {% endif %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {% do return(found) %}
{% endmacro %}

{# The first day of the window that a date lies in. #}
{% macro monitoring_window(date_column) -%}
    cast({{ dbt.date_trunc(setting_value('monitoring_interval'), date_column) }} as date)
{%- endmacro %}

{# The last day of a window, of its first. #}
{% macro monitoring_window_end(window_start) -%}
    cast({{ dbt.dateadd(setting_value('monitoring_interval'), 1, window_start) }} as date) - 1
{%- endmacro %}
