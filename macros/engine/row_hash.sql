{#
  A fingerprint of some columns, to see whether a row has changed: 32 hexadecimal digits. Each value
  stands as its length and its text, in the order given, which tells null from a text and one column
  from the next. Not of the row as JSON: the order of its keys is not promised everywhere
  (https://docs.snowflake.com/en/sql-reference/functions/to_json). How a fraction is written differs
  between engines, so fingerprints compare on one engine only.
#}
{% macro row_hash(columns) -%}
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
