with

sentiments as (

    select * from {{ ref('review_sentiment_stored') }}

),

languages as (

    select * from {{ ref('review_languages_detected') }}

)

select
    sentiments.review_id,
    coalesce({{ setting('review_language') }}, languages.language) as language,
    languages.language_confidence,
    sentiments.sentiment_label,
    sentiments.sentiment_score,
    case
        when sentiments.sentiment_label is null then 'unscored' else '{{ setting_value('text_engine') }}'
    end as sentiment_source,
    sentiments.content_hash,
    sentiments.model_version,
    sentiments.scored_at
from sentiments
left join languages on sentiments.content_hash = languages.content_hash
