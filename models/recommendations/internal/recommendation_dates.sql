{% set window_days = setting_value('recommendation_window_days') %}

with

as_of_days as (

    select
        as_of_on,
        as_of_at,
        {{ dbt.dateadd('day', window_days, 'as_of_at') }} as until_at
    from {{ ref('as_of_dates') }}

),

newest as (

    select max(as_of_on) as as_of_on
    from as_of_days

),

mature as (

    select
        as_of_days.as_of_on,
        cast(as_of_days.until_at as date) as matured_on
    from as_of_days
    cross join {{ ref('source_watermarks') }} as watermarks
    where watermarks.table_name = 'orders' and as_of_days.until_at <= watermarks.watermark_at

),

splits as (

    {{ as_of_splits('mature', setting('recommendation_train_dates')) }}

)

-- All other dates would cost their candidates and serve nobody.
select
    as_of_days.as_of_on,
    as_of_days.as_of_at,
    as_of_days.until_at,
    as_of_days.as_of_on = newest.as_of_on as is_newest,
    cast(splits.split as {{ api.Column.translate_type('string') }}) as split
from as_of_days
cross join newest
left join splits on as_of_days.as_of_on = splits.as_of_on
where as_of_days.as_of_on = newest.as_of_on or splits.split is not null
