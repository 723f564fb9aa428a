-- Sums of whole numbers and decimals: they do not depend on the order of rows.
select
    as_of_on,
    product_id,
    cast(sum(order_count) as bigint) as order_count,
    cast(sum(order_count_7d) as bigint) as order_count_7d,
    cast(sum(order_count_30d) as bigint) as order_count_30d,
    cast(sum(order_count_90d) as bigint) as order_count_90d,
    cast(sum(order_count_365d) as bigint) as order_count_365d,
    cast(sum(season_order_count) as bigint) as season_order_count,
    cast(count(*) as bigint) as customer_count,
    cast(count(case when order_count > 1 then 1 end) as double) / count(*) as repeat_share,
    cast(sum(amount) as double) / nullif(cast(sum(quantity) as double), 0) as mean_price_amount,
    min(first_bought_at) as first_bought_at,
    max(last_bought_at) as last_bought_at
from {{ ref('customer_products') }}
group by as_of_on, product_id
