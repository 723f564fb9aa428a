{% set features = [
    'administrative', 'administrative_duration', 'informational', 'informational_duration',
    'product_related', 'product_related_duration', 'bounce_rates', 'exit_rates', 'page_values',
    'special_day', 'month', 'operating_systems', 'browser', 'region', 'traffic_type',
    'visitor_type', 'is_weekend', 'page_load_time_ms', 'product_type', 'product_layout',
    'product_rating', 'seconds_per_product_page', 'expected_exits', 'has_page_value',
    'prior_session_count', 'days_since_prior_session', 'prior_order_count',
    'has_prior_review', 'prior_review_count', 'mean_prior_rating', 'mean_prior_sentiment',
] %}
{# Of a visitor's orders and reviews up to a moment. #}
{% set measures = {
    'order_count': 'sum(is_order)',
    'review_count': 'sum(is_review)',
    'rating_count': 'count(rating)',
    'rating_total': 'sum(rating)',
    'sentiment_count': 'count(sentiment)',
    'sentiment_total': 'sum(sentiment)',
    'newest_at': 'max(case when is_order + is_review = 1 then event_at end)',
} %}

with

sessions as (

    select * from {{ ref('stg_sessions') }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

-- Orders are matched through the visitor, not the customer: a visitor becomes a customer by buying, so
-- a known customer gives the label away.
visitor_orders as (

    select
        sessions.visitor_id,
        orders.customer_id,
        orders.ordered_at
    from orders
    inner join sessions on orders.session_id = sessions.session_id

),

visitor_customers as (

    select
        visitor_id,
        customer_id,
        min(ordered_at) as known_from_at
    from visitor_orders
    where customer_id is not null
    group by visitor_id, customer_id

),

-- A review is the visitor's from the moment on at which it and who the visitor is are both known.
visitor_reviews as (

    select
        visitor_customers.visitor_id,
        reviews.rating,
        {{ exact_sentiment('sentiments.sentiment_score') }} as sentiment,
        greatest(visitor_customers.known_from_at, reviews.created_at) as known_at
    from visitor_customers
    inner join {{ ref('stg_reviews') }} as reviews on visitor_customers.customer_id = reviews.customer_id
    left join {{ ref('review_texts') }} as texts on reviews.review_id = texts.review_id
    left join {{ ref('review_sentiment_stored') }} as sentiments on texts.content_hash = sentiments.content_hash

),

-- A visitor's sessions, orders and reviews on one line of time.
visitor_events as (

    select
        visitor_id,
        session_id,
        started_at as event_at,
        0 as is_order,
        0 as is_review,
        cast(null as integer) as rating,
        {{ exact_sentiment('null') }} as sentiment
    from sessions

    union all

    select
        visitor_id,
        cast(null as {{ api.Column.translate_type('string') }}) as session_id,
        ordered_at as event_at,
        1 as is_order,
        0 as is_review,
        cast(null as integer) as rating,
        {{ exact_sentiment('null') }} as sentiment
    from visitor_orders

    union all

    select
        visitor_id,
        cast(null as {{ api.Column.translate_type('string') }}) as session_id,
        known_at as event_at,
        0 as is_order,
        1 as is_review,
        rating,
        sentiment
    from visitor_reviews

),

-- Strictly earlier: rank() - 1 and sessions first leave out whatever happened at the same moment.
visitor_history as (

    select
        session_id,
        visitor_id,
        {% for name, measure in measures.items() -%}
        {{ measure }} over (
            partition by visitor_id
            order by event_at, is_order + is_review
            rows between unbounded preceding and current row
        ) as {{ name }},
        {% endfor -%}
        rank() over (
            partition by visitor_id, is_order, is_review
            order by event_at
        ) - 1 as earlier_count
    from visitor_events

),

-- One row per moment, so that two sessions that start together have the same prior session.
moments as (

    select distinct
        visitor_id,
        started_at
    from sessions

),

visitor_moments as (

    select
        visitor_id,
        started_at,
        lag(started_at) over (
            partition by visitor_id
            order by started_at
        ) as prior_started_at
    from moments

),

joined as (

    select
        sessions.*,
        cast(sessions.product_related_duration as double)
        / nullif(sessions.product_related, 0) as seconds_per_product_page,
        sessions.exit_rates
        * (sessions.administrative + sessions.informational + sessions.product_related) as expected_exits,
        sessions.page_values > 0 as has_page_value,
        cast(visitor_history.earlier_count as bigint) as prior_session_count,
        {{ days_between('visitor_moments.prior_started_at', 'sessions.started_at') }} as days_since_prior_session,
        cast(visitor_history.order_count as bigint) as prior_order_count,
        visitor_history.review_count > 0 as has_prior_review,
        cast(nullif(visitor_history.review_count, 0) as bigint) as prior_review_count,
        cast(visitor_history.rating_total as double)
        / nullif(visitor_history.rating_count, 0) as mean_prior_rating,
        cast(visitor_history.sentiment_total as double)
        / nullif(visitor_history.sentiment_count, 0) as mean_prior_sentiment,
        coalesce(
            greatest(visitor_moments.prior_started_at, visitor_history.newest_at),
            visitor_moments.prior_started_at,
            visitor_history.newest_at
        ) as history_until_at
    from sessions
    inner join visitor_history on sessions.session_id = visitor_history.session_id
    inner join visitor_moments
        on
            sessions.visitor_id = visitor_moments.visitor_id
            and sessions.started_at = visitor_moments.started_at

)

select
    session_id,
    visitor_id,
    customer_id,
    session_on,
    started_at,
    history_until_at,
    {{ features | join(',\n    ') }},
    {{ row_hash(features) }} as features_hash
from joined
