with

rejected as (

    select
        table_name,
        count(*) as rejected_rows
    from {{ ref('rejected_rows') }}
    group by table_name

),

counted as (

    {% for name in staged_tables() %}
    select
        '{{ name }}' as table_name,
        (select count(*) from {{ shop_table(name) }}) as raw_rows,
        (select count(*) from {{ ref('stg_' ~ name) }}) as accepted_rows
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

)

select
    counted.table_name,
    counted.raw_rows,
    counted.accepted_rows,
    coalesce(rejected.rejected_rows, 0) as rejected_rows
from counted
left join rejected on counted.table_name = rejected.table_name
where counted.raw_rows <> counted.accepted_rows + coalesce(rejected.rejected_rows, 0)
