-- A product bought twice in an order is bought once, in a larger quantity. Only products that the shop
-- lists: without a name and a category there is nothing to recommend.
select
    orders.customer_id,
    items.product_id,
    orders.order_id,
    orders.ordered_at,
    orders.cancelled_at,
    cast(sum(items.quantity) as bigint) as quantity,
    cast(sum(items.quantity * items.unit_price_amount) as decimal(18, 2)) as amount
from {{ ref('customer_orders') }} as orders
inner join {{ ref('stg_order_items') }} as items on orders.order_id = items.order_id
inner join {{ ref('stg_products') }} as products on items.product_id = products.product_id
where orders.is_purchase and orders.customer_id is not null
group by
    orders.customer_id,
    items.product_id,
    orders.order_id,
    orders.ordered_at,
    orders.cancelled_at
