with

bands as (

    select
        risk_band,
        min_decile,
        lead(min_decile, 1, 11) over (order by min_decile) as next_min_decile
    from {{ ref('risk_band_vocabulary') }}

)

select
    scored.customer_id,
    scored.as_of_on,
    scored.model_name,
    scored.model_version,
    scored.score,
    scored.score_decile,
    bands.risk_band,
    scored.is_predicted as is_predicted_churn,
    scored.sample_role,
    scored.scored_at
from {{ ref('churn_scored') }} as scored
left join bands
    on scored.score_decile >= bands.min_decile and scored.score_decile < bands.next_min_decile
