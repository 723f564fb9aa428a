with

texts as (

    select * from {{ ref('review_texts') }}

),

scored as (

    select * from {{ ref('review_sentiment_scored') }}

),

-- `unknown` is no sentiment: such a review is unscored, not neutral.
labelled as (

    select
        texts.review_id,
        texts.content_hash,
        case when scored.sentiment_answer <> 'unknown' then scored.sentiment_answer end as sentiment_label,
        scored.model_version,
        scored.scored_at
    from texts
    left join scored on texts.content_hash = scored.content_hash

)

select
    review_id,
    {{ setting('review_language') }} as language,
    sentiment_label,
    cast(
        case
            when sentiment_label = 'positive' then 1
            when sentiment_label = 'negative' then -1
            when sentiment_label in ('neutral', 'mixed') then 0
        end as double
    ) as sentiment_score,
    case when sentiment_label is null then 'unscored' else 'cortex' end as sentiment_source,
    content_hash,
    case when sentiment_label is not null then model_version end as model_version,
    case when sentiment_label is not null then scored_at end as scored_at
from labelled
