{#
  One of the shop's tables, wherever it is: the sample seed or, with `shop_source: raw`, the source.
  A source table that does not exist yet is legal and reads as an empty table of the right types.
#}
{% macro shop_table(name) %}
    {%- if setting_value('shop_source') == 'sample' -%}
        {{ ref('sample_' ~ name) }}
    {%- else -%}
        {%- set relation = source('shop', name) -%}
        {%- if execute and load_relation(relation) is none -%}
            {{ empty_shop_table(name) }}
        {%- else -%}
            {{ relation }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{# A typed table of the raw contract with no rows, as a subquery. #}
{% macro empty_shop_table(name) %}
    (
        select * from (
            select
            {%- for column in contract_columns(name) %}
                cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        ) as typed
        where false
    )
{% endmacro %}

{# The columns of a raw table as models/staging/_sources.yml states them; empty while dbt parses. #}
{% macro contract_columns(name) %}
    {% do return(contract_table(name).columns.values() | list if execute else []) %}
{% endmacro %}

{# The key columns of a raw table. #}
{% macro contract_key(name) %}
    {% do return(contract_table(name).config.meta['key'] if execute else []) %}
{% endmacro %}

{# The source node of a raw table. #}
{% macro contract_table(name) %}
    {% for node in graph.sources.values() if node.source_name == 'shop' and node.name == name %}
        {% do return(node) %}
    {% endfor %}
    {{ exceptions.raise_compiler_error(
        "There is no raw table '" ~ name ~ "'; the tables are: " ~ (contract_tables() | join(', ')) ~ '.'
    ) }}
{% endmacro %}

{# The names of all raw tables. #}
{% macro contract_tables() %}
    {% do return(
        graph.sources.values() | selectattr('source_name', 'equalto', 'shop')
        | map(attribute='name') | sort | list
    ) %}
{% endmacro %}

{#
  The raw tables that staging checks: all of the contract. They are written out because dbt asks for
  the models that read them while it parses, when it does not know the contract yet.
#}
{% macro staged_tables() %}
    {% do return(['sessions', 'customers', 'products', 'orders', 'order_items', 'reviews']) %}
{% endmacro %}
