{{ config(severity='warn') }}

-- With an earlier `as_of`, later rows are not accepted yet; their scores stay all the same.
with

watermarks as (

    select
        case table_name when 'sessions' then 'purchase_intent' when 'orders' then 'churn' end as task_name,
        cast(watermark_at as date) as watermark_on
    from {{ ref('source_watermarks') }}

)

select distinct
    scores.task_name,
    scores.entity_id,
    scores.as_of_on
from {{ ref('scored_rows') }} as scores
inner join watermarks on scores.task_name = watermarks.task_name
where
    not scores.has_features
    and scores.as_of_on < watermarks.watermark_on
