{{ config(materialized='view') }}

-- Every task's scored rows with their segment; a further task is a further arm.
select
    'churn' as task_name,
    customer_id as entity_id,
    as_of_on,
    segment
from {{ ref('customer_segments') }}

union all

select
    'purchase_intent' as task_name,
    session_id as entity_id,
    session_on as as_of_on,
    segment
from {{ ref('session_segments') }}
{% if is_sentiment_monitored() %}

union all

select
    'review_sentiment' as task_name,
    examples.review_id as entity_id,
    examples.created_on as as_of_on,
    'language = ' || coalesce(sentiment.language, 'unknown') as segment
from {{ ref('review_sentiment_examples') }} as examples
inner join {{ ref('review_sentiment') }} as sentiment on examples.review_id = sentiment.review_id
{% endif %}
