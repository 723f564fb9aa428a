-- Of the newest as-of date before a session, so that nothing of the session itself is in its segment.
with

dates as (

    select
        min(as_of_on) as first_on,
        max(as_of_on) as last_on,
        -- No more than so many dates are kept: before the first of them nobody's segment is known.
        count(*) >= {{ setting('as_of_dates') }} as is_cut
    from {{ ref('as_of_dates') }}

),

-- Orders say who a visitor is. The session's own customer would give its outcome away: a visitor becomes a
-- customer by buying (docs/decisions/0005).
visitor_customers as (

    select
        sessions.visitor_id,
        orders.customer_id,
        min(orders.ordered_at) as known_from_at
    from {{ ref('stg_orders') }} as orders
    inner join {{ ref('stg_sessions') }} as sessions on orders.session_id = sessions.session_id
    where orders.customer_id is not null
    group by sessions.visitor_id, orders.customer_id

),

-- Of a device that several customers share, the one whom it came to know last.
visitor_segments as (

    select
        visitor_customers.visitor_id,
        segments.as_of_on,
        segments.segment
    from visitor_customers
    inner join {{ ref('customer_segments') }} as segments
        on
            visitor_customers.customer_id = segments.customer_id
            and visitor_customers.known_from_at < cast(segments.as_of_on as timestamp)
    qualify row_number() over (
            partition by visitor_customers.visitor_id, segments.as_of_on
            order by visitor_customers.known_from_at desc nulls last, visitor_customers.customer_id asc nulls last
        ) = 1

)

select
    sessions.session_id,
    sessions.session_on,
    cast(
        case
            when visitor_segments.segment is not null then visitor_segments.segment
            when sessions.visitor_type is null then 'not known'
            when dates.is_cut and sessions.session_on < dates.first_on then 'not known'
            else 'visitor_type = ' || sessions.visitor_type
        end as {{ api.Column.translate_type('string') }}
    ) as segment
from {{ ref('session_features') }} as sessions
cross join dates
left join visitor_segments
    on
        sessions.visitor_id = visitor_segments.visitor_id
        -- Where orders end before sessions do, the newest date there is.
        and visitor_segments.as_of_on = least(
            cast({{ dbt.date_trunc(setting_value('as_of_interval'), 'sessions.session_on') }} as date), dates.last_on
        )
