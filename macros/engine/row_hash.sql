{#
  A fingerprint of some columns, to see whether a row has changed: 32 hexadecimal digits. It tells null from
  a text and one column from the next. How a fraction is written differs between engines, so
  fingerprints compare on one engine only.
#}
{% macro row_hash(columns) %}
    {{ return(adapter.dispatch('row_hash')(columns)) }}
{% endmacro %}

{#
  Each value stands as its length and its text, in the order given. Not of the row as JSON: the order of
  its keys is not promised everywhere (https://docs.snowflake.com/en/sql-reference/functions/to_json).
#}
{% macro default__row_hash(columns) -%}
    {%- set string_type = api.Column.translate_type('string') -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- set text = 'cast(' ~ column ~ ' as ' ~ string_type ~ ')' -%}
        {%- do parts.append(
            "coalesce(cast(length(" ~ text ~ ") as " ~ string_type ~ ") || ':' || " ~ text ~ ", '-')"
        ) -%}
    {%- endfor -%}
    md5({{ parts | join(' || ') }})
{%- endmacro %}

{#
  DuckDB writes a row as text so that it can be read again: what needs it is quoted and escaped, and null
  is not the text NULL. A third of the time of the above.
  https://duckdb.org/docs/stable/sql/data_types/struct
#}
{% macro duckdb__row_hash(columns) -%}
    md5(cast(row({{ columns | join(', ') }}) as varchar))
{%- endmacro %}
