{% set has_sentiment = setting_value('text_engine') is not none %}

with

customers as (

    select customer_id from {{ ref('stg_customers') }}
    union distinct
    select customer_id from {{ ref('stg_orders') }}

),

newest as (

    select max(as_of_on) as as_of_on
    from {{ ref('customer_features') }}

),

features as (

    select
        features.customer_id,
        features.as_of_on,
        features.order_count,
        features.order_amount,
        features.days_since_last_order
    from {{ ref('customer_features') }} as features
    inner join newest on features.as_of_on = newest.as_of_on

),

segments as (

    select
        segments.customer_id,
        segments.segment
    from {{ ref('customer_segments') }} as segments
    inner join newest on segments.as_of_on = newest.as_of_on

),

churn as (

    select
        scores.customer_id,
        scores.score,
        scores.risk_band,
        scores.model_version
    from {{ ref('churn_scores') }} as scores
    inner join newest on scores.as_of_on = newest.as_of_on
    inner join {{ ref('serving_versions') }} as serving
        on scores.model_name = serving.model_name and scores.model_version = serving.model_version

),

-- Of the features that moved the score most, those that raised it.
raising as (

    select
        explanations.entity_id as customer_id,
        explanations.feature || ' = ' || coalesce(explanations.feature_value, 'missing') as reason,
        row_number() over (
            partition by explanations.entity_id
            order by explanations.rank
        ) as place
    from {{ ref('score_explanations') }} as explanations
    inner join newest on explanations.as_of_on = newest.as_of_on
    inner join {{ ref('serving_versions') }} as serving
        on
            explanations.model_name = serving.model_name
            and explanations.model_version = serving.model_version
    where serving.model_name = 'churn' and explanations.contribution > 0

),

reasons as (

    select
        customer_id,
        max(case when place = 1 then reason end) as churn_reason_1,
        max(case when place = 2 then reason end) as churn_reason_2,
        max(case when place = 3 then reason end) as churn_reason_3
    from raising
    group by customer_id

),

intents as (

    select
        scores.customer_id,
        scores.session_on,
        scores.score,
        scores.model_version
    from {{ ref('purchase_intent_scores') }} as scores
    inner join {{ ref('serving_versions') }} as serving
        on scores.model_name = serving.model_name and scores.model_version = serving.model_version
    inner join {{ ref('session_features') }} as sessions on scores.session_id = sessions.session_id
    where scores.model_name = 'purchase_intent_in_session' and scores.customer_id is not null
    qualify
        row_number() over (
            partition by scores.customer_id
            order by sessions.started_at desc nulls last, scores.session_id asc
        ) = 1

),

sentiments as (

    select
        reviews.customer_id,
        {% if has_sentiment %}
        count(sentiment.sentiment_score) as review_count,
        -- As decimals: their sum does not depend on the order of rows.
        cast(sum(cast(sentiment.sentiment_score as decimal(18, 9))) as double)
        / nullif(count(sentiment.sentiment_score), 0) as sentiment_score
        {% else %}
        0 as review_count,
        cast(null as double) as sentiment_score
        {% endif %}
    from {{ ref('stg_reviews') }} as reviews
    {% if has_sentiment -%}
    inner join {{ ref('review_sentiment') }} as sentiment on reviews.review_id = sentiment.review_id
    {%- endif %}
    where reviews.customer_id is not null
    group by reviews.customer_id

),

products as (

    select
        customer_id,
        max(case when rank = 1 then coalesce(product_name, product_id) end) as next_product_1,
        max(case when rank = 2 then coalesce(product_name, product_id) end) as next_product_2,
        max(case when rank = 3 then coalesce(product_name, product_id) end) as next_product_3,
        max(model_version) as model_version
    from {{ ref('product_recommendations') }}
    group by customer_id

)

select
    customers.customer_id,
    newest.as_of_on,
    segments.segment,
    coalesce(features.order_count, 0) as order_count,
    coalesce(features.order_amount, 0) as order_amount,
    features.days_since_last_order,
    churn.score as churn_score,
    churn.risk_band as churn_risk_band,
    reasons.churn_reason_1,
    reasons.churn_reason_2,
    reasons.churn_reason_3,
    churn.model_version as churn_model_version,
    intents.session_on as purchase_intent_session_on,
    intents.score as purchase_intent_score,
    intents.model_version as purchase_intent_model_version,
    sentiments.sentiment_score,
    cast(coalesce(sentiments.review_count, 0) as bigint) as sentiment_review_count,
    products.next_product_1,
    products.next_product_2,
    products.next_product_3,
    products.model_version as recommendation_model_version
from customers
cross join newest
left join features on customers.customer_id = features.customer_id
left join segments on customers.customer_id = segments.customer_id
left join churn on customers.customer_id = churn.customer_id
left join reasons on customers.customer_id = reasons.customer_id
left join intents on customers.customer_id = intents.customer_id
left join sentiments on customers.customer_id = sentiments.customer_id
left join products on customers.customer_id = products.customer_id
