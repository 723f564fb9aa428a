{# SQL condition: some column of the contract that may not be null is null. #}
{% macro missing_required(name) -%}
    {%- set required = [] -%}
    {%- for column in contract_columns(name) if not column.config.meta.get('is_nullable') -%}
        {%- do required.append(column.name ~ ' is null') -%}
    {%- endfor -%}
    ({{ required | join(' or ') or 'false' }})
{%- endmacro %}
