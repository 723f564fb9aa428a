-- Does the score mean what it says? Mean score beside the share that really bought, for each decile, on
-- sessions whose outcome is final and that the model has not learned from.
with

scores as (

    select * from {{ ref('purchase_intent_scores') }}
    where sample_role in ('test', 'new')

),

labels as (

    select * from {{ ref('session_labels') }}
    where is_purchase is not null

)

select
    scores.model_name,
    scores.model_version,
    scores.sample_role,
    scores.score_decile,
    count(*) as mature_rows,
    avg(scores.score) as expected_rate,
    avg(cast(case when labels.is_purchase then 1 else 0 end as double)) as observed_rate
from scores
inner join labels on scores.session_id = labels.session_id
group by
    scores.model_name,
    scores.model_version,
    scores.sample_role,
    scores.score_decile
order by
    scores.model_name,
    scores.model_version,
    scores.sample_role,
    scores.score_decile
