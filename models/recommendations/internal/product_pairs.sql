{% set history_days = setting_value('recommendation_pair_days') %}

with

lines as (

    select
        dates.as_of_on,
        purchases.order_id,
        purchases.product_id,
        count(*) over (partition by dates.as_of_on, purchases.order_id) as product_count
    from {{ ref('recommendation_dates') }} as dates
    inner join {{ ref('customer_purchases') }} as purchases
        on
            dates.as_of_at > purchases.ordered_at
            and purchases.ordered_at >= {{ dbt.dateadd('day', -history_days, 'dates.as_of_at') }}
    where purchases.cancelled_at is null or purchases.cancelled_at >= dates.as_of_at

),

-- Pairs grow with the square of an order's products: one that holds half of the shop says little
-- about any two of them and would cost more than all others.
baskets as (

    select
        as_of_on,
        order_id,
        product_id
    from lines
    where product_count <= {{ setting('recommendation_basket_products') }}

),

order_counts as (

    select
        as_of_on,
        count(distinct order_id) as order_count
    from baskets
    group by as_of_on

),

products as (

    select
        as_of_on,
        product_id,
        count(*) as order_count
    from baskets
    group by as_of_on, product_id

),

together as (

    select
        one.as_of_on,
        one.product_id,
        other.product_id as other_product_id,
        count(*) as order_count
    from baskets as one
    inner join baskets as other
        on
            one.as_of_on = other.as_of_on
            and one.order_id = other.order_id
            and one.product_id < other.product_id
    group by one.as_of_on, one.product_id, other.product_id
    having count(*) >= {{ setting('recommendation_pair_orders') }}

),

-- Decimals, because they are added up: a sum of fractions would depend on the order of rows.
measured as (

    select
        together.as_of_on,
        together.product_id,
        together.other_product_id,
        cast(
            together.order_count / sqrt(cast(one.order_count as double) * other.order_count) as decimal(9, 6)
        ) as similarity,
        cast(
            cast(together.order_count as double) * order_counts.order_count
            / (cast(one.order_count as double) * other.order_count) as decimal(18, 6)
        ) as lift
    from together
    inner join products as one
        on
            together.as_of_on = one.as_of_on
            and together.product_id = one.product_id
    inner join products as other
        on
            together.as_of_on = other.as_of_on
            and together.other_product_id = other.product_id
    inner join order_counts on together.as_of_on = order_counts.as_of_on

),

both_ways as (

    select
        as_of_on,
        product_id,
        other_product_id,
        similarity,
        lift
    from measured

    union all

    select
        as_of_on,
        other_product_id as product_id,
        product_id as other_product_id,
        similarity,
        lift
    from measured

),

ranked as (

    select
        *,
        row_number() over (
            partition by as_of_on, product_id
            order by similarity desc nulls last, other_product_id asc
        ) as place
    from both_ways

)

select
    as_of_on,
    product_id,
    other_product_id,
    similarity,
    lift
from ranked
where place <= {{ setting('recommendation_pairs') }}
