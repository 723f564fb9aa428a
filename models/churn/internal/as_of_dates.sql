-- The newest dates on which customers are looked at, up to the day that the orders have reached.
with

reached as (

    select
        min(orders.ordered_at) as first_ordered_at,
        max(watermarks.watermark_at) as watermark_at
    from {{ ref('stg_orders') }} as orders
    cross join {{ ref('source_watermarks') }} as watermarks
    where watermarks.table_name = 'orders'

),

numbers as (

    {{ dbt.generate_series(setting_value('as_of_dates')) }}

),

dates as (

    select
        reached.first_ordered_at,
        cast(
            {{ dbt.dateadd(
                setting_value('as_of_interval'),
                '1 - cast(numbers.generated_number as integer)',
                dbt.date_trunc(setting_value('as_of_interval'), 'reached.watermark_at')
            ) }} as date
        ) as as_of_on
    from numbers
    cross join reached

)

select
    as_of_on,
    cast(as_of_on as timestamp) as as_of_at
from dates
where cast(as_of_on as timestamp) > first_ordered_at
