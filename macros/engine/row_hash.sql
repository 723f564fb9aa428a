{#
  A fingerprint of some columns, to see whether a row has changed: 32 hexadecimal digits. It is taken
  of the row as JSON, which tells null from a text and one column from the next.
#}
{% macro row_hash(columns) -%}
    md5({{ record_json(columns) }})
{%- endmacro %}
