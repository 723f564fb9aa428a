{#
  Query: a row for each object of the JSON lists in `column` of a relation, with the relation's columns `kept`
  and the object's `fields`, which maps their names to types. A null or an empty list gives no row.
#}
{% macro json_list_rows(relation, column, kept, fields) %}
    {{ return(adapter.dispatch('json_list_rows')(relation, column, kept, fields)) }}
{% endmacro %}

{% macro default__json_list_rows(relation, column, kept, fields) %}
    {{ exceptions.raise_compiler_error('json_list_rows is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# https://duckdb.org/docs/stable/data/json/json_functions#transforming-json-to-nested-types #}
{% macro duckdb__json_list_rows(relation, column, kept, fields) -%}
    select
        {% for name in kept %}
        listed.{{ name }},
        {% endfor %}
        {% for name in fields %}
        unpacked.entry.{{ name }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ relation }} as listed
    cross join unnest(from_json(listed.{{ column }}, '[{{ tojson(fields) }}]')) as unpacked (entry)
{%- endmacro %}

{#
  A null of JSON becomes a null of SQL when it is cast; a list that is null gives no row:
  https://docs.snowflake.com/en/sql-reference/functions/flatten,
  https://docs.snowflake.com/en/user-guide/querying-semistructured
#}
{% macro snowflake__json_list_rows(relation, column, kept, fields) -%}
    select
        {% for name in kept %}
        listed.{{ name }},
        {% endfor %}
        {% for name, type in fields.items() %}
        cast(unpacked.value:{{ name }} as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ relation }} as listed,
        lateral flatten(input => parse_json(listed.{{ column }})) as unpacked
{%- endmacro %}
