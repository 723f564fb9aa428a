{# A row's columns as one JSON text, nulls kept. #}
{% macro record_json(columns) %}
    {{ return(adapter.dispatch('record_json')(columns)) }}
{% endmacro %}

{% macro default__record_json(columns) %}
    {{ exceptions.raise_compiler_error('record_json is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# https://duckdb.org/docs/stable/data/json/creating_json #}
{% macro duckdb__record_json(columns) -%}
    cast(json_object({% for column in columns %}'{{ column }}', {{ column }}{{ ', ' if not loop.last }}{% endfor %}) as varchar)
{%- endmacro %}

{# https://docs.snowflake.com/en/sql-reference/functions/object_construct_keep_null #}
{% macro snowflake__record_json(columns) -%}
    to_json(object_construct_keep_null({% for column in columns %}'{{ column }}', {{ column }}{{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}
