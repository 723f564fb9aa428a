{#
  <target schema>[_sample][_<folder's schema>]. The sample shop has schemas of its own, so that
  trying it never mixes with your data: a champion trained on one shop must not serve another.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set source_suffix = '_sample' if setting_value('shop_source') == 'sample' else '' -%}
    {%- set folder_suffix = '_' ~ (custom_schema_name | trim) if custom_schema_name else '' -%}
    {{ target.schema ~ source_suffix ~ folder_suffix }}
{%- endmacro %}
