{{ config(group='shop') }}

{% for name in staged_tables() %}
select
    '{{ name }}' as table_name,
    {{ dbt.concat(row_key_parts(name)) }} as row_key
from {{ ref('checked_' ~ name) }}
where reject_reason is null and {{ missing_required(name) }}
{% if not loop.last -%}
union all
{%- endif %}
{% endfor %}
