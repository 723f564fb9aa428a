with

customers as (

    select
        customer_id,
        as_of_on,
        order_count,
        order_amount,
        days_since_first_order,
        recency_in_gaps,
        days_since_last_order <= {{ setting('active_customer_days') }} as is_active,
        -- Who has spent the same is ranked the same, so that no order of rows decides.
        rank() over (
            partition by as_of_on
            order by order_amount desc nulls last
        ) <= {{ setting('high_value_share') }} * count(*) over (partition by as_of_on) as is_high_value
    from {{ ref('customer_features_computed') }}

),

-- Every segment that a customer fits. The last one fits all, so that nobody is left over.
fitting as (

    select
        customer_id,
        as_of_on,
        'NEW_CUSTOMERS' as segment
    from customers
    where days_since_first_order <= {{ setting('new_customer_days') }}

    union all

    select
        customer_id,
        as_of_on,
        'HIGH_VALUE_ACTIVE' as segment
    from customers
    where is_high_value and is_active

    union all

    select
        customer_id,
        as_of_on,
        'HIGH_VALUE_INACTIVE' as segment
    from customers
    where is_high_value and not is_active

    union all

    select
        customer_id,
        as_of_on,
        'LOW_ENGAGEMENT' as segment
    from customers
    where order_count <= {{ setting('low_engagement_orders') }} and not is_active

    union all

    select
        customer_id,
        as_of_on,
        'AT_RISK' as segment
    from customers
    where not is_active or recency_in_gaps > {{ setting('at_risk_gaps') }}

    union all

    select
        customer_id,
        as_of_on,
        'REGULAR' as segment
    from customers

),

ranked as (

    select
        fitting.customer_id,
        fitting.as_of_on,
        fitting.segment,
        row_number() over (
            partition by fitting.customer_id, fitting.as_of_on
            order by segments.precedence, fitting.segment
        ) as place
    from fitting
    inner join {{ ref('customer_segment_vocabulary') }} as segments on fitting.segment = segments.segment

)

select
    customer_id,
    as_of_on,
    cast(segment as {{ api.Column.translate_type('string') }}) as segment
from ranked
where place = 1
