{{ config(enabled=env_var('TEXT_ENGINE', var('text_engine') | string) == 'embedded', group='reviews') }}

select
    scored.content_hash,
    scored.first_created_at,
    scored.model_version,
    versions.trained_before_at
from {{ ref('review_sentiment_predicted') }} as scored
left join {{ ref('review_sentiment_versions') }} as versions on scored.model_version = versions.model_version
where scored.first_created_at < versions.trained_before_at
