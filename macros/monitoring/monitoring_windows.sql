{# SQL: the first day of the monitoring window that a time is in. #}
{% macro window_start(at) -%}
    cast({{ dbt.date_trunc(setting_value('monitoring_interval'), at) }} as date)
{%- endmacro %}

{# SQL: the first day after the monitoring window that begins on a day. #}
{% macro window_end(start_on) -%}
    cast({{ dbt.dateadd(setting_value('monitoring_interval'), 1, start_on) }} as date)
{%- endmacro %}

{#
  The columns of a raw table whose completeness is watched, as the contract has them: all that staging
  asks for and all that features may read. Not the bookkeeping, and not what is filled in later, whose
  newest windows are empty by nature.
#}
{% macro watched_columns(name) %}
    {% set columns = [] %}
    {% for column in contract_columns(name)
        if column.name != 'loaded_at' and not column.config.meta.get('is_filled_later') %}
        {% do columns.append(column) %}
    {% endfor %}
    {% do return(columns) %}
{% endmacro %}
