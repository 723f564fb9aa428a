{{ config(materialized='view') }}

{% set is_embedded = setting_value('text_engine') == 'embedded' %}

with

rated as (

    select
        review_id,
        content_hash,
        created_at,
        rating
    from {{ ref('review_texts') }}
    where rating is not null
    qualify row_number() over (partition by content_hash order by created_at, review_id) = 1

)

select
    rated.review_id,
    cast(rated.created_at as date) as created_on,
    rated.rating,
    coalesce(sentiment.language, 'unknown') as language,
    sentiment.sentiment_label,
    sentiment.sentiment_score,
    sentiment.sentiment_source,
    {% if is_embedded -%}
    versions.scores_until_at is null as is_of_newest_model
    {%- else -%}
    true as is_of_newest_model
    {%- endif %}
from rated
inner join {{ ref('review_sentiment') }} as sentiment on rated.review_id = sentiment.review_id
{% if is_embedded -%}
-- A copy that came in late may be older than what the model of its text knew: it judges nothing.
inner join {{ ref('review_sentiment_versions') }} as versions
    on sentiment.model_version = versions.model_version and rated.created_at >= versions.trained_before_at
{% endif -%}
where sentiment.sentiment_label is not null
