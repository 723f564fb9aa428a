with

bands as (

    select
        scores.model_name,
        scores.model_version,
        scores.sample_role,
        scores.risk_band,
        count(*) as scored_rows,
        count(labels.is_churned) as matured_rows,
        count(case when labels.is_churned then 1 end) as churned_rows,
        -- Decimals: the sum of doubles would depend on the order of rows.
        sum(case when labels.is_churned is not null then cast(scores.score as decimal(18, 12)) end) as expected_rows
    from {{ ref('churn_scores') }} as scores
    left join {{ ref('churn_labels') }} as labels
        on scores.customer_id = labels.customer_id and scores.as_of_on = labels.as_of_on
    group by scores.model_name, scores.model_version, scores.sample_role, scores.risk_band

)

select
    model_name,
    model_version,
    sample_role,
    risk_band,
    scored_rows,
    matured_rows,
    churned_rows,
    cast(expected_rows as double) / nullif(matured_rows, 0) as expected_rate,
    cast(churned_rows as double) / nullif(matured_rows, 0) as observed_rate,
    {{ wilson_interval('churned_rows', 'matured_rows', 'low') }} as observed_rate_low,
    {{ wilson_interval('churned_rows', 'matured_rows', 'high') }} as observed_rate_high
from bands
