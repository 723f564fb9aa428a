{# SQL: a number as text with so many digits after the point, written alike by every engine. #}
{% macro number_as_text(number, digits=2) -%}
    cast(cast({{ number }} as decimal(18, {{ digits }})) as {{ api.Column.translate_type('string') }})
{%- endmacro %}
