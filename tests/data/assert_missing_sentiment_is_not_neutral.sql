{{ config(group='reviews') }}

-- A mean over reviews of which none was scored is null: 0 would say that they are neutral.
with

scored as (

    select
        reviews.customer_id,
        min(reviews.created_at) as first_created_at
    from {{ ref('review_sentiment') }} as sentiments
    inner join {{ ref('stg_reviews') }} as reviews on sentiments.review_id = reviews.review_id
    where sentiments.sentiment_score is not null
    group by reviews.customer_id

),

-- Whose reviews a session's visitor has written is not asked again: only whether there was any.
shop as (

    select min(first_created_at) as first_created_at
    from scored

)

select
    'customer_features' as found_in,
    features.customer_id as entity_id,
    features.as_of_on,
    features.mean_sentiment as sentiment
from {{ ref('customer_features') }} as features
left join scored on features.customer_id = scored.customer_id
where
    features.mean_sentiment is not null
    and coalesce(scored.first_created_at >= cast(features.as_of_on as timestamp), true)

union all

select
    'session_features' as found_in,
    features.session_id as entity_id,
    features.session_on as as_of_on,
    features.mean_prior_sentiment as sentiment
from {{ ref('session_features') }} as features
cross join shop
where
    features.mean_prior_sentiment is not null
    and coalesce(not features.has_prior_review or shop.first_created_at >= features.started_at, true)
