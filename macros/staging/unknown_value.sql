{#
  SQL condition: a column holds a word that is not among the `values` of the contract. Null is no
  word: whether it is legal is another rule.
#}
{% macro unknown_value(name, column) -%}
    {%- set words = [] -%}
    {%- for described in contract_columns(name) if described.name == column -%}
        {%- for word in described.config.meta['values'] -%}
            {%- do words.append(dbt.string_literal(word)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ column }} not in ({{ words | join(', ') or 'null' }})
{%- endmacro %}
