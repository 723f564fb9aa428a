{{ config(access='protected') }}

{% set string_type = api.Column.translate_type('string') %}

with

-- What counts as today: the newest event of the shop.
newest as (

    select coalesce({{ setting('as_of') }}, max(watermark_at)) as today_at
    from {{ ref('source_watermarks') }}

),

{% for name in staged_tables() %}
{{ quality_measures(name) }},
{% endfor %}
measured as (

    {% for name in staged_tables() %}
    select * from measured_{{ name }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    cast(table_name as {{ string_type }}) as table_name,
    cast(case when check_name = 'rejected' then 'validity' else check_name end as {{ string_type }}) as check_name,
    cast(column_name as {{ string_type }}) as column_name,
    cast(reject_reason as {{ string_type }}) as reject_reason,
    is_required,
    window_start_on,
    cast(sum(row_count) as bigint) as row_count,
    cast(sum(passing_count) as bigint) as passing_count,
    max(newest_at) as newest_at
from measured
group by table_name, check_name, column_name, reject_reason, is_required, window_start_on
