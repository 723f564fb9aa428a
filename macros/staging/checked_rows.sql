{#
  Every row of a raw table, cast to the contract, with `duplicate_rank`: 1 for the row that counts
  for its key, more for the others. The row loaded last counts; where several were loaded at once,
  the order of all columns decides, so that the order of rows never does. The place of nulls is said,
  because engines differ in it: https://docs.snowflake.com/en/sql-reference/constructs/order-by
#}
{% macro checked_rows(name) %}
    {%- set columns = contract_columns(name) %}
    select
        {%- for column in columns %}
        cast({{ column.name }} as {{ column.data_type }}) as {{ column.name }},
        {%- endfor %}
        row_number() over (
            partition by {{ contract_key(name) | join(', ') or 'null' }}
            order by
                loaded_at desc nulls last
                {%- for column in columns if column.name != 'loaded_at' %},
                {{ column.name }} nulls last
                {%- endfor %}
        ) as duplicate_rank
    from {{ shop_table(name) }}
{% endmacro %}

{# Rejected rows of a checked table in the shape of `rejected_rows`. #}
{% macro rejected_from(name) %}
    {%- set columns = contract_columns(name) | map(attribute='name') | list %}
    select
        cast('{{ name }}' as {{ api.Column.translate_type('string') }}) as table_name,
        {{ dbt.concat(row_key_parts(name)) }} as row_key,
        reject_reason,
        {{ record_json(columns) }} as record,
        loaded_at
    from {{ ref('checked_' ~ name) }}
    where reject_reason is not null
{% endmacro %}

{# The key of a raw row as the parts of one text, parts separated by `/`. #}
{% macro row_key_parts(name) %}
    {% set parts = [] %}
    {% for column in contract_key(name) %}
        {% if not loop.first %}{% do parts.append("'/'") %}{% endif %}
        {% do parts.append("coalesce(cast(" ~ column ~ " as " ~ api.Column.translate_type('string') ~ "), '')") %}
    {% endfor %}
    {% do return(parts or ["''"]) %}
{% endmacro %}
