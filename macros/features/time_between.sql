{# SQL: the whole seconds from one time to a later one; null where one of them is. #}
{% macro seconds_between(earlier, later) -%}
    cast({{ dbt.datediff(earlier, later, 'second') }} as bigint)
{%- endmacro %}

{# SQL: the days from one time to a later one, as a fraction; null where one of them is. #}
{% macro days_between(earlier, later) -%}
    cast({{ dbt.datediff(earlier, later, 'second') }} as double) / 86400
{%- endmacro %}
