-- A table: DuckDB 2.0.0 does not come back from this query with a LIMIT, as people put it to a view.
{{ config(materialized='computed_table') }}

{% set deviation = 1.4826 %}

with

counted as (

    select
        *,
        table_name
        || coalesce('.' || column_name, '')
        || coalesce(' ' || reject_reason, '') as subject
    from {{ ref('data_quality_counted') }}

),

newest as (

    select coalesce({{ setting('as_of') }}, max(watermark_at)) as today_at
    from {{ ref('source_watermarks') }}

),

numbers as (

    {{ dbt.generate_series(setting_value('quality_reference_windows')) }}

),

known as (

    select distinct window_start_on from counted

),

-- The windows after one in which something came: as many as are looked back on, so that one wrong date of long ago
-- does not make hundreds.
later as (

    select
        cast({{ dbt.dateadd(
            setting_value('monitoring_interval'), 'cast(numbers.generated_number as integer)', 'known.window_start_on'
        ) }} as date) as window_start_on
    from known
    cross join numbers

),

windows as (

    select window_start_on
    from known

    union distinct

    select later.window_start_on
    from later
    cross join newest
    where later.window_start_on <= {{ window_start('newest.today_at') }}

    union distinct

    select {{ window_start('today_at') }} as window_start_on
    from newest
    where today_at is not null

),

checks as (

    select
        table_name,
        check_name,
        column_name,
        reject_reason,
        is_required,
        subject,
        min(window_start_on) as first_window_on
    from counted
    group by table_name, check_name, column_name, reject_reason, is_required, subject

),

-- Since its first row a table has every window that any table has: one without rows is a finding, too.
grid as (

    select
        checks.*,
        windows.window_start_on,
        {{ window_end('windows.window_start_on') }} as window_end_on,
        counted.newest_at,
        counted.passing_count,
        coalesce(counted.row_count, 0) as row_count,
        row_number() over (
            partition by checks.check_name, checks.subject order by windows.window_start_on
        ) as window_number
    from checks
    inner join windows on checks.first_window_on <= windows.window_start_on
    left join counted
        on
            checks.check_name = counted.check_name
            and checks.subject = counted.subject
            and windows.window_start_on = counted.window_start_on
    -- A reason that rejected nothing is no row.
    where checks.reject_reason is null or counted.row_count > 0

),

totals as (

    select
        table_name,
        window_start_on,
        row_count as total_count
    from grid
    where check_name = 'validity' and reject_reason is null

),

-- What a source is late against: the others, from the window on in which the first of them begins.
others as (

    select
        checks.subject,
        min(other.first_window_on) as others_first_window_on
    from checks
    inner join checks as other
        on checks.check_name = other.check_name and checks.subject <> other.subject
    where checks.check_name = 'freshness'
    group by checks.subject

),

aged as (

    select
        grid.*,
        totals.total_count,
        cast(grid.window_end_on as timestamp) <= newest.today_at as is_closed,
        others.others_first_window_on <= grid.window_start_on as is_beside_others,
        max(grid.newest_at) over (
            partition by grid.check_name, grid.subject
            order by grid.window_start_on
            rows between unbounded preceding and current row
        ) as newest_known_at,
        case
            when cast(grid.window_end_on as timestamp) <= newest.today_at then cast(grid.window_end_on as timestamp)
            else newest.today_at
        end as window_known_at
    from grid
    cross join newest
    left join totals on grid.table_name = totals.table_name and grid.window_start_on = totals.window_start_on
    left join others on grid.subject = others.subject

),

valued as (

    select
        *,
        case
            when check_name = 'volume' then cast(row_count as double)
            when check_name = 'freshness'
                then case when is_beside_others then {{ days_between('newest_known_at', 'window_known_at') }} end
            when reject_reason is not null then 1 - cast(row_count as double) / total_count
            else cast(passing_count as double) / nullif(row_count, 0)
        end as value
    from aged

),

-- What is usual is said by the windows before, never by the one that is judged.
past as (

    select
        valued.check_name,
        valued.subject,
        valued.window_start_on,
        earlier.value as earlier_value,
        median(earlier.value) over (
            partition by valued.check_name, valued.subject, valued.window_start_on
        ) as median_value,
        -- Rows come in multiples: of a shop that grows, what is few rows is no longer below nothing.
        case when valued.check_name = 'volume' then ln(1 + earlier.value) end as earlier_log,
        median(case when valued.check_name = 'volume' then ln(1 + earlier.value) end) over (
            partition by valued.check_name, valued.subject, valued.window_start_on
        ) as median_log
    from valued
    inner join valued as earlier
        on
            valued.check_name = earlier.check_name
            and valued.subject = earlier.subject
            and earlier.window_number
            between valued.window_number - {{ setting('quality_reference_windows') }} and valued.window_number - 1
    where
        earlier.value is not null
        and (valued.check_name = 'volume' or not valued.is_required)

),

usual as (

    select
        check_name,
        subject,
        window_start_on,
        count(*) as reference_windows,
        max(median_value) as usual_value,
        -- The factor makes it a standard deviation where values are normal (Rousseeuw and Croux, 1993).
        {{ setting('quality_deviations') }} * {{ deviation }} * median(abs(earlier_value - median_value)) as margin,
        max(median_log)
        - {{ setting('quality_deviations') }} * {{ deviation }} * median(abs(earlier_log - median_log)) as low_log
    from past
    group by check_name, subject, window_start_on
    having count(*) >= {{ setting('quality_min_windows') }}

),

limited as (

    select
        valued.*,
        usual.reference_windows,
        usual.usual_value,
        case
            when valued.reject_reason is not null then null
            when valued.is_required then {{ setting('min_completeness') }}
            -- By chance alone a share of so many rows has the standard deviation of a binomial one.
            when valued.check_name = 'completeness'
                then usual.usual_value - greatest(
                        usual.margin,
                        {{ setting('completeness_margin') }},
                        {{ setting('quality_deviations') }}
                        * coalesce(sqrt(usual.usual_value * (1 - usual.usual_value) / nullif(valued.row_count, 0)), 0)
                    )
            when valued.check_name = 'uniqueness' then {{ setting('min_uniqueness') }}
            when valued.check_name = 'validity' then {{ setting('min_validity') }}
            when valued.check_name = 'volume'
                then least(exp(usual.low_log) - 1, usual.usual_value / {{ setting('volume_ratio') }})
        end as lower_limit,
        case
            when valued.check_name = 'freshness' then {{ setting('max_stale_days') }}
            when valued.check_name = 'volume'
                then greatest(usual.usual_value + usual.margin, usual.usual_value * {{ setting('volume_ratio') }})
        end as threshold_high,
        -- Of few rows a share says nothing, of a window that still goes on neither its number.
        case
            when valued.check_name = 'freshness' then true
            when valued.check_name = 'volume'
                then valued.is_closed and greatest(valued.value, usual.usual_value) >= {{ setting('quality_min_rows') }}
            else valued.row_count >= {{ setting('quality_min_rows') }}
        end as is_judged
    from valued
    left join usual
        on
            valued.check_name = usual.check_name
            and valued.subject = usual.subject
            and valued.window_start_on = usual.window_start_on

),

thresholds as (

    select
        *,
        -- Neither a share nor a number of rows is less than nothing.
        case when lower_limit < 0 then 0 else lower_limit end as threshold_low
    from limited

)

select
    table_name,
    check_name,
    column_name,
    reject_reason,
    subject,
    window_start_on,
    window_end_on,
    is_closed,
    cast(row_count as bigint) as row_count,
    value,
    usual_value,
    cast(reference_windows as bigint) as reference_windows,
    threshold_low,
    threshold_high,
    case when value < usual_value or threshold_high is null then threshold_low else threshold_high end as threshold,
    case
        when value is not null and is_judged and coalesce(threshold_low, threshold_high) is not null
            then coalesce(value < threshold_low, false) or coalesce(value > threshold_high, false)
    end as is_failing
from thresholds
