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

purchases as (

    select
        order_id,
        lag(ordered_at) over (
            partition by customer_id
            order by ordered_at, order_id
        ) as prior_ordered_at
    from judged
    where is_purchase

)

select
    judged.order_id,
    judged.customer_id,
    judged.ordered_at,
    cast(judged.amount as decimal(18, 2)) as amount,
    judged.is_discounted,
    judged.cancelled_at,
    judged.reversed_at,
    judged.is_purchase,
    {{ seconds_between('purchases.prior_ordered_at', 'judged.ordered_at') }} as seconds_since_prior_order
from judged
left join purchases on judged.order_id = purchases.order_id
