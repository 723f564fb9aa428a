with

texts as (

    select * from {{ ref('review_texts') }}

),

languages as (

    select * from {{ ref('review_languages_detected') }}

),

sentiments as (

    select * from {{ ref('review_sentiment_stored') }}

)

select
    texts.review_id,
    coalesce({{ setting('review_language') }}, languages.language) as language,
    languages.language_confidence,
    sentiments.sentiment_label,
    sentiments.sentiment_score,
    case
        when sentiments.sentiment_label is null then 'unscored' else '{{ setting_value('text_engine') }}'
    end as sentiment_source,
    texts.content_hash,
    sentiments.model_version,
    sentiments.scored_at
from texts
left join languages on texts.content_hash = languages.content_hash
left join sentiments on texts.content_hash = sentiments.content_hash
