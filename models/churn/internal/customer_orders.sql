with

orders as (

    select * from {{ ref('stg_orders') }}

),

items as (

    select * from {{ ref('stg_order_items') }}

),

amounts as (

    select
        order_id,
        sum(quantity * unit_price_amount) as items_amount
    from items
    group by order_id

),

-- When an order was taken back is known by its date alone: one whose date is missing may have been
-- taken back at any time, so it counts from the start.
placed as (

    select
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        greatest(coalesce(amounts.items_amount, 0) - coalesce(orders.discount_amount, 0), 0) as amount,
        coalesce(orders.discount_amount, 0) > 0 as is_discounted,
        case
            when orders.status = 'cancelled' then coalesce(orders.status_changed_at, orders.ordered_at)
        end as cancelled_at,
        case
            when orders.status in ('cancelled', 'returned')
                then coalesce(orders.status_changed_at, orders.ordered_at)
        end as reversed_at
    from orders
    left join amounts on orders.order_id = amounts.order_id

),

-- One that was cancelled as it was placed is a note of a cancellation, not a purchase. One that was
-- cancelled later was a purchase until then, and what was known then must not change.
judged as (

    select
        *,
        cancelled_at is null or cancelled_at > ordered_at as is_purchase
    from placed

),

-- Purchases follow purchases: what is none makes no gap. A window alone leaves a customer's orders beside
-- each other, which halves the time of what groups by customer; a join after it would scatter them.
preceded as (

    select
        *,
        lag(ordered_at) over (
            partition by customer_id, is_purchase
            order by ordered_at, order_id
        ) as prior_ordered_at
    from judged

)

select
    order_id,
    customer_id,
    ordered_at,
    cast(amount as decimal(18, 2)) as amount,
    is_discounted,
    cancelled_at,
    reversed_at,
    is_purchase,
    case when is_purchase then {{ seconds_between('prior_ordered_at', 'ordered_at') }} end
        as seconds_since_prior_order
from preceded
