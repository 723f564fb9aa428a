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

    select
        review_id,
        sentiment_label
    from {{ ref('review_sentiment') }}

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
