{% set window_days = setting_value('recommendation_window_days') %}

with

dates as (

    select
        as_of_on,
        as_of_at,
        {{ dbt.dateadd('day', window_days, 'as_of_at') }} as until_at
    from {{ ref('as_of_dates') }}

),

newest as (

    select max(as_of_on) as as_of_on
    from dates

),

mature as (

    select dates.*
    from dates
    cross join {{ ref('source_watermarks') }} as watermarks
    where watermarks.table_name = 'orders' and dates.until_at <= watermarks.watermark_at

),

test as (

    select
        max(as_of_on) as as_of_on,
        max(as_of_at) as as_of_at
    from mature

),

-- What came of one split is known before the next one begins: a date whose window reaches into a
-- later split would hand its outcomes over, and is left out.
validation as (

    select
        max(mature.as_of_on) as as_of_on,
        max(mature.as_of_at) as as_of_at
    from mature
    cross join test
    where mature.until_at <= test.as_of_at

),

train as (

    select
        mature.as_of_on,
        row_number() over (order by mature.as_of_on desc nulls last) as place
    from mature
    cross join validation
    where mature.until_at <= validation.as_of_at

),

assigned as (

    select
        dates.*,
        dates.as_of_on = newest.as_of_on as is_newest,
        case
            when dates.as_of_on = test.as_of_on then 'test'
            when dates.as_of_on = validation.as_of_on then 'validation'
            when train.place <= {{ setting('recommendation_train_dates') }} then 'train'
        end as split
    from dates
    cross join newest
    cross join test
    cross join validation
    left join train on dates.as_of_on = train.as_of_on

)

select
    as_of_on,
    as_of_at,
    until_at,
    is_newest,
    cast(split as {{ api.Column.translate_type('string') }}) as split
from assigned
where is_newest or split is not null
