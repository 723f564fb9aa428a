{{ config(severity='warn') }}

-- With an earlier `as_of`, later sessions are not accepted yet; their scores stay all the same.
with

watermark as (

    select cast(watermark_at as date) as watermark_on
    from {{ ref('source_watermarks') }}
    where table_name = 'sessions'

)

select distinct
    scores.session_id,
    scores.session_on
from {{ ref('purchase_intent_scores') }} as scores
cross join watermark
left join {{ ref('session_features') }} as features on scores.session_id = features.session_id
where
    features.session_id is null
    and scores.session_on < watermark.watermark_on
