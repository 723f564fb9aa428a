select
    model_name,
    model_version,
    score_decile,
    count(*) as test_rows,
    count(case when is_positive then 1 end) as positives,
    cast(sum(cast(score as decimal(18, 12))) as double) / count(*) as expected_rate,
    cast(count(case when is_positive then 1 end) as double) / count(*) as observed_rate,
    {{ wilson_interval('count(case when is_positive then 1 end)', 'count(*)', 'low') }} as observed_rate_low,
    {{ wilson_interval('count(case when is_positive then 1 end)', 'count(*)', 'high') }} as observed_rate_high
from {{ ref('scored_rows') }}
where sample_role = 'test' and is_positive is not null and score_decile is not null
group by model_name, model_version, score_decile
