{# A fingerprint of some columns, to see whether a row has changed: 32 hexadecimal digits. #}
{% macro row_hash(columns) -%}
    {%- set texts = [] -%}
    {%- for column in columns -%}
        {#- Null and the empty text are different values. -#}
        {%- do texts.append(
            "coalesce(cast(" ~ column ~ " as " ~ api.Column.translate_type('string') ~ "), '~')"
        ) -%}
    {%- endfor -%}
    md5({{ texts | join(" || '|' || ") }})
{%- endmacro %}
