{% set engine = setting_value('text_engine') %}

with

texts as (

    select
        review_id,
        content_hash
    from {{ ref('review_texts') }}

),

scored as (

    {% if engine == 'cortex' -%}
    -- `unknown` is no sentiment: such a review is unscored, not neutral.
    select
        content_hash,
        nullif(sentiment_answer, 'unknown') as sentiment_label,
        case
            when sentiment_answer = 'positive' then 1
            when sentiment_answer = 'negative' then -1
            when sentiment_answer in ('neutral', 'mixed') then 0
        end as sentiment_score,
        model_version,
        scored_at
    from {{ ref('review_sentiment_scored') }}
    {%- elif engine == 'embedded' -%}
    select
        content_hash,
        sentiment_label,
        sentiment_score,
        model_version,
        scored_at
    from {{ ref('review_sentiment_predicted') }}
    {%- elif engine == 'huggingface' -%}
    select
        content_hash,
        sentiment_label,
        sentiment_score,
        model_version,
        scored_at
    from {{ ref('review_sentiment_classified') }}
    {%- else -%}
    select
        content_hash,
        cast(null as {{ api.Column.translate_type('string') }}) as sentiment_label,
        cast(null as double) as sentiment_score,
        cast(null as {{ api.Column.translate_type('string') }}) as model_version,
        cast(null as timestamp) as scored_at
    from texts
    where false
    {%- endif %}

)

select
    texts.review_id,
    texts.content_hash,
    scored.sentiment_label,
    case when scored.sentiment_label is not null then cast(scored.sentiment_score as double) end as sentiment_score,
    case when scored.sentiment_label is not null then scored.model_version end as model_version,
    case when scored.sentiment_label is not null then scored.scored_at end as scored_at
from texts
left join scored on texts.content_hash = scored.content_hash
