{#
  From-clause item: the elements of a JSON array of objects, a row for each; `json_field` reads one.

  array: a column of text. alias: a name for the elements.
#}
{% macro json_elements(array, alias) %}
    {{ return(adapter.dispatch('json_elements')(array, alias)) }}
{% endmacro %}

{% macro default__json_elements(array, alias) %}
    {{ exceptions.raise_compiler_error('json_elements is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# https://duckdb.org/docs/stable/data/json/json_functions #}
{% macro duckdb__json_elements(array, alias) -%}
    unnest(from_json({{ array }}, '["json"]')) as {{ alias }} (value)
{%- endmacro %}

{# https://docs.snowflake.com/en/sql-reference/functions/flatten #}
{% macro snowflake__json_elements(array, alias) -%}
    lateral flatten(input => parse_json({{ array }})) as {{ alias }}
{%- endmacro %}

{# A field of such an element as a type; null where it is JSON's null. #}
{% macro json_field(alias, field, data_type) %}
    {{ return(adapter.dispatch('json_field')(alias, field, data_type)) }}
{% endmacro %}

{% macro default__json_field(alias, field, data_type) %}
    {{ exceptions.raise_compiler_error('json_field is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__json_field(alias, field, data_type) -%}
    cast({{ alias }}.value ->> '$.{{ field }}' as {{ data_type }})
{%- endmacro %}

{# https://docs.snowflake.com/en/user-guide/querying-semistructured #}
{% macro snowflake__json_field(alias, field, data_type) -%}
    cast({{ alias }}.value:{{ field }} as {{ data_type }})
{%- endmacro %}
