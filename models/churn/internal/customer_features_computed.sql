{% set windows = order_windows() %}
{% set features = ['order_count'] %}
{% for days in windows %}{% do features.append('order_count_' ~ days ~ 'd') %}{% endfor %}
{% do features.append('order_amount') %}
{% for days in windows %}{% do features.append('order_amount_' ~ days ~ 'd') %}{% endfor %}
{% do features.extend([
    'mean_order_amount', 'days_since_last_order', 'days_since_first_order', 'tenure_days',
    'mean_days_between_orders', 'sd_days_between_orders', 'max_days_between_orders', 'recency_in_gaps',
    'reversal_share', 'discount_share', 'category_count',
    'has_session', 'session_count_30d', 'session_count_180d', 'days_since_last_session',
    'has_review', 'review_count', 'mean_rating', 'mean_sentiment', 'days_since_last_review',
]) %}

with

dates as (

    select * from {{ ref('as_of_dates') }}

),

totals as (

    select * from {{ ref('customer_order_totals') }}

),

-- Everything below looks at what came strictly before the as-of date, and measures back from it.
first_of_category as (

    select
        orders.customer_id,
        products.category,
        min(orders.ordered_at) as first_ordered_at
    from {{ ref('customer_orders') }} as orders
    inner join {{ ref('stg_order_items') }} as items on orders.order_id = items.order_id
    inner join {{ ref('stg_products') }} as products on items.product_id = products.product_id
    where orders.is_purchase
    group by orders.customer_id, products.category

),

from_categories as (

    select
        first_of_category.customer_id,
        dates.as_of_on,
        count(*) as category_count
    from dates
    inner join first_of_category on dates.as_of_at > first_of_category.first_ordered_at
    group by first_of_category.customer_id, dates.as_of_on

),

from_sessions as (

    select
        sessions.customer_id,
        dates.as_of_on,
        count(case when sessions.started_at >= {{ dbt.dateadd('day', -30, 'dates.as_of_at') }} then 1 end)
            as session_count_30d,
        count(case when sessions.started_at >= {{ dbt.dateadd('day', -180, 'dates.as_of_at') }} then 1 end)
            as session_count_180d,
        max(sessions.started_at) as newest_session_at
    from dates
    inner join {{ ref('stg_sessions') }} as sessions on dates.as_of_at > sessions.started_at
    where sessions.customer_id is not null
    group by sessions.customer_id, dates.as_of_on

),

from_reviews as (

    select
        reviews.customer_id,
        dates.as_of_on,
        count(*) as review_count,
        sum(reviews.rating) as rating_sum,
        count(reviews.rating) as rating_count,
        sum({{ exact_sentiment('sentiments.sentiment_score') }}) as sentiment_sum,
        count(sentiments.sentiment_score) as sentiment_count,
        max(reviews.created_at) as newest_review_at
    from dates
    inner join {{ ref('stg_reviews') }} as reviews on dates.as_of_at > reviews.created_at
    left join {{ ref('review_texts') }} as texts on reviews.review_id = texts.review_id
    left join {{ ref('review_sentiment_stored') }} as sentiments on texts.content_hash = sentiments.content_hash
    where reviews.customer_id is not null
    group by reviews.customer_id, dates.as_of_on

),

joined as (

    select
        totals.*,
        cast(totals.as_of_on as timestamp) as as_of_at,
        case when customers.signed_up_on < totals.as_of_on then cast(customers.signed_up_on as timestamp) end
            as signed_up_at,
        from_categories.category_count,
        from_sessions.session_count_30d,
        from_sessions.session_count_180d,
        from_sessions.newest_session_at,
        from_reviews.review_count,
        from_reviews.rating_sum,
        from_reviews.rating_count,
        from_reviews.sentiment_sum,
        from_reviews.sentiment_count,
        from_reviews.newest_review_at
    from totals
    left join {{ ref('stg_customers') }} as customers on totals.customer_id = customers.customer_id
    left join from_categories
        on
            totals.customer_id = from_categories.customer_id
            and totals.as_of_on = from_categories.as_of_on
    left join from_sessions
        on
            totals.customer_id = from_sessions.customer_id
            and totals.as_of_on = from_sessions.as_of_on
    left join from_reviews
        on
            totals.customer_id = from_reviews.customer_id
            and totals.as_of_on = from_reviews.as_of_on

),

-- Days as fractions. What is not known is null, not zero: the flags tell one from the other.
measured as (

    select
        customer_id,
        as_of_on,
        as_of_at,
        greatest(
            newest_order_at,
            coalesce(newest_session_at, newest_order_at),
            coalesce(newest_review_at, newest_order_at)
        ) as history_until_at,
        {%- for name in features if name.startswith('order_') %}
        {{ name }},
        {%- endfor %}
        cast(order_amount as double) / order_count as mean_order_amount,
        {{ days_between('last_ordered_at', 'as_of_at') }} as days_since_last_order,
        {{ days_between('first_ordered_at', 'as_of_at') }} as days_since_first_order,
        {{ days_between('signed_up_at', 'as_of_at') }} as tenure_days,
        cast(gap_seconds as double) / nullif(order_count - 1, 0) / 86400 as mean_days_between_orders,
        sqrt(
            cast(
                greatest((order_count - 1) * squared_gap_seconds - gap_seconds * gap_seconds, 0) as double
            ) / nullif((order_count - 1) * (order_count - 2), 0)
        ) / 86400 as sd_days_between_orders,
        cast(max_gap_seconds as double) / 86400 as max_days_between_orders,
        cast(reversal_count as double) / order_count as reversal_share,
        cast(discounted_count as double) / order_count as discount_share,
        cast(category_count as bigint) as category_count,
        newest_session_at is not null as has_session,
        cast(session_count_30d as bigint) as session_count_30d,
        cast(session_count_180d as bigint) as session_count_180d,
        {{ days_between('newest_session_at', 'as_of_at') }} as days_since_last_session,
        newest_review_at is not null as has_review,
        cast(review_count as bigint) as review_count,
        cast(rating_sum as double) / nullif(rating_count, 0) as mean_rating,
        cast(sentiment_sum as double) / nullif(sentiment_count, 0) as mean_sentiment,
        {{ days_between('newest_review_at', 'as_of_at') }} as days_since_last_review
    from joined

),

completed as (

    select
        *,
        days_since_last_order / nullif(mean_days_between_orders, 0) as recency_in_gaps
    from measured

)

select
    customer_id,
    as_of_on,
    history_until_at,
    {{ features | join(',\n    ') }},
    {{ row_hash(features) }} as features_hash
from completed
