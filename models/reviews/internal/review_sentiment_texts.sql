{{ config(materialized='view') }}

-- The first copy counts: a later one would have the sentiment of a model that knew the first's rating.
select
    texts.content_hash,
    texts.masked_text,
    texts.first_created_at,
    versions.model_version as scoring_version
from {{ ref('review_distinct_texts') }} as texts
inner join {{ ref('review_sentiment_versions') }} as versions
    on
        texts.first_created_at >= versions.trained_before_at
        and (texts.first_created_at < versions.scores_until_at or versions.scores_until_at is null)
