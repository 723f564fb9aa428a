with

test_rows as (

    select
        model_name,
        model_version,
        is_positive,
        cast(score as decimal(18, 12)) as score,
        -- Tenths of these very rows where a version has no cut points.
        coalesce(
            score_decile,
            ntile(10) over (
                partition by model_name, model_version order by score asc nulls last, entity_id asc nulls last
            )
        ) as score_decile
    from {{ ref('scored_rows') }}
    where sample_role = 'test' and is_positive is not null

)

select
    model_name,
    model_version,
    cast(score_decile as integer) as score_decile,
    count(*) as test_rows,
    count(case when is_positive then 1 end) as positives,
    cast(sum(score) as double) / count(*) as expected_rate,
    cast(count(case when is_positive then 1 end) as double) / count(*) as observed_rate,
    {{ wilson_interval('count(case when is_positive then 1 end)', 'count(*)', 'low') }} as observed_rate_low,
    {{ wilson_interval('count(case when is_positive then 1 end)', 'count(*)', 'high') }} as observed_rate_high
from test_rows
group by model_name, model_version, score_decile
