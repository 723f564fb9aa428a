{% set deviation = 1.4826 %}

with

-- What did its work. A computed table that was up to date, and a test that was not run, took no time.
worked as (

    select
        node,
        resource_type,
        invocation_id,
        run_started_at,
        seconds,
        row_number() over (
            partition by node order by run_started_at desc nulls last, invocation_id asc nulls last
        ) as age
    from {{ ref('pipeline_runs') }}
    where
        status in ('success', 'pass', 'warn', 'fail')
        and coalesce(message, '') <> 'UP TO DATE'

),

-- Its own past: the newest run is held against it and is not in it.
past as (

    select
        node,
        seconds,
        median(seconds) over (partition by node) as median_seconds
    from worked
    where age between 2 and 1 + {{ setting('slow_reference_runs') }}

),

usual as (

    select
        node,
        count(*) as reference_runs,
        max(median_seconds) as median_seconds,
        -- The factor makes it a standard deviation where times are normal (Rousseeuw and Croux, 1993).
        {{ deviation }} * median(abs(seconds - median_seconds)) as spread_seconds
    from past
    group by node

),

runs as (

    select
        node,
        count(*) as runs
    from worked
    group by node

),

judged as (

    select
        newest.node,
        newest.resource_type,
        runs.runs,
        newest.invocation_id,
        newest.run_started_at,
        newest.seconds as newest_seconds,
        coalesce(usual.reference_runs, 0) as reference_runs,
        usual.median_seconds,
        usual.spread_seconds,
        case
            when usual.reference_runs >= {{ setting('slow_min_runs') }}
                then
                    usual.median_seconds + greatest(
                        {{ setting('slow_deviations') }} * usual.spread_seconds, {{ setting('slow_min_seconds') }}
                    )
        end as slow_above_seconds
    from worked as newest
    inner join runs on newest.node = runs.node
    left join usual on newest.node = usual.node
    where newest.age = 1

)

select
    node,
    resource_type,
    cast(runs as bigint) as runs,
    invocation_id,
    run_started_at,
    newest_seconds,
    cast(reference_runs as bigint) as reference_runs,
    median_seconds,
    spread_seconds,
    slow_above_seconds,
    newest_seconds > slow_above_seconds as is_slow
from judged
