{% set has_sentiment = setting_value('text_engine') == 'cortex' %}

with

texts as (

    select * from {{ ref('review_texts') }}

),

topics as (

    select
        review_id,
        topic_id
    from {{ ref('review_topics') }}

),

sentiment as (

    {% if has_sentiment -%}
    select
        review_id,
        sentiment_label
    from {{ ref('review_sentiment') }}
    {%- else -%}
    select
        review_id,
        cast(null as {{ api.Column.translate_type('string') }}) as sentiment_label
    from texts
    {%- endif %}

)

select
    texts.review_id,
    texts.product_id,
    texts.created_at,
    cast(date_trunc('month', texts.created_at) as date) as month_on,
    texts.rating,
    topics.topic_id,
    sentiment.sentiment_label
from texts
left join topics on texts.review_id = topics.review_id
left join sentiment on texts.review_id = sentiment.review_id
