{% set engine = setting_value('text_engine') %}

with

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
    {%- elif engine in ('embedded', 'huggingface') -%}
    select
        content_hash,
        sentiment_label,
        sentiment_score,
        model_version,
        scored_at
    from {{ ref('review_sentiment_predicted' if engine == 'embedded' else 'review_sentiment_classified') }}
    {%- else -%}
    select
        content_hash,
        cast(null as {{ api.Column.translate_type('string') }}) as sentiment_label,
        cast(null as double) as sentiment_score,
        cast(null as {{ api.Column.translate_type('string') }}) as model_version,
        cast(null as timestamp) as scored_at
    from {{ ref('review_texts') }}
    where false
    {%- endif %}

)

select
    content_hash,
    sentiment_label,
    cast(sentiment_score as double) as sentiment_score,
    model_version,
    scored_at
from scored
where sentiment_label is not null
