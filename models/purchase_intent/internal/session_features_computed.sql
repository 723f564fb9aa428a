{% set features = [
    'administrative', 'administrative_duration', 'informational', 'informational_duration',
    'product_related', 'product_related_duration', 'bounce_rates', 'exit_rates', 'page_values',
    'special_day', 'month', 'operating_systems', 'browser', 'region', 'traffic_type',
    'visitor_type', 'is_weekend', 'page_load_time_ms', 'product_type', 'product_layout',
    'product_rating', 'seconds_per_product_page', 'expected_exits', 'has_page_value',
    'prior_session_count', 'days_since_prior_session', 'prior_order_count',
] %}

with

sessions as (

    select * from {{ ref('stg_sessions') }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

-- A visitor's sessions and orders on one line of time. Orders are matched through the visitor, not
-- the customer: a visitor becomes a customer by buying, so a known customer gives the label away.
visitor_events as (

    select
        visitor_id,
        session_id,
        started_at as event_at,
        0 as is_order
    from sessions

    union all

    select
        sessions.visitor_id,
        cast(null as {{ api.Column.translate_type('string') }}) as session_id,
        orders.ordered_at as event_at,
        1 as is_order
    from orders
    inner join sessions on orders.session_id = sessions.session_id

),

-- Strictly earlier: rank() - 1 and is_order last leave out whatever happened at the same moment.
visitor_history as (

    select
        session_id,
        visitor_id,
        event_at,
        is_order,
        rank() over (
            partition by visitor_id, is_order
            order by event_at
        ) - 1 as earlier_count,
        sum(is_order) over (
            partition by visitor_id
            order by event_at, is_order
            rows between unbounded preceding and current row
        ) as order_count,
        max(case when is_order = 1 then event_at end) over (
            partition by visitor_id
            order by event_at, is_order
            rows between unbounded preceding and current row
        ) as newest_order_at
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
        coalesce(
            greatest(visitor_moments.prior_started_at, visitor_history.newest_order_at),
            visitor_moments.prior_started_at,
            visitor_history.newest_order_at
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
