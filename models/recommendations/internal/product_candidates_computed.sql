{% set features = candidate_features() %}

with

customers as (

    select * from {{ ref('recommendation_customers') }}

),

owned as (

    select
        bought.*,
        row_number() over (
            partition by bought.customer_id, bought.as_of_on
            order by bought.order_count desc nulls last, bought.last_bought_at desc nulls last, bought.product_id asc
        ) as own_rank
    from {{ ref('customer_products') }} as bought
    inner join customers
        on
            bought.customer_id = customers.customer_id
            and bought.as_of_on = customers.as_of_on

),

own as (

    select *
    from owned
    where own_rank <= {{ setting('recommendation_own_candidates') }}

),

-- What goes with the products that the customer owns; a product does not speak for itself.
paired as (

    select
        own.customer_id,
        own.as_of_on,
        pairs.other_product_id as product_id,
        sum(pairs.similarity) as co_purchase_score,
        max(pairs.similarity) as co_purchase_most,
        max(pairs.lift) as co_purchase_lift
    from own
    inner join {{ ref('product_pairs') }} as pairs
        on
            own.as_of_on = pairs.as_of_on
            and own.product_id = pairs.product_id
    group by own.customer_id, own.as_of_on, pairs.other_product_id

),

new_pairs as (

    select
        paired.customer_id,
        paired.as_of_on,
        paired.product_id,
        row_number() over (
            partition by paired.customer_id, paired.as_of_on
            order by paired.co_purchase_score desc nulls last, paired.product_id asc
        ) as pair_rank
    from paired
    left join owned
        on
            paired.customer_id = owned.customer_id
            and paired.as_of_on = owned.as_of_on
            and paired.product_id = owned.product_id
    where owned.product_id is null

),

-- Every customer meets these few, not every product.
popular as (

    select
        as_of_on,
        segment,
        product_id,
        max(case when list_name = 'segment' then order_count end) as segment_order_count
    from {{ ref('popular_products') }}
    group by as_of_on, segment, product_id

),

candidates as (

    select
        customer_id,
        as_of_on,
        product_id
    from own

    union

    select
        customer_id,
        as_of_on,
        product_id
    from new_pairs
    where pair_rank <= {{ setting('recommendation_pair_candidates') }}

    union

    select
        customers.customer_id,
        customers.as_of_on,
        popular.product_id
    from customers
    inner join popular on customers.as_of_on = popular.as_of_on
    where popular.segment is null or popular.segment = customers.segment

),

joined as (

    select
        candidates.customer_id,
        candidates.as_of_on,
        customers.as_of_at,
        candidates.product_id,
        customers.segment,
        owned.product_id is not null as is_owned,
        coalesce(owned.order_count, 0) as own_order_count,
        coalesce(owned.order_count_90d, 0) as own_order_count_90d,
        coalesce(owned.order_count_365d, 0) as own_order_count_365d,
        owned.first_bought_at as own_first_bought_at,
        owned.last_bought_at as own_last_bought_at,
        products.order_count,
        products.order_count_7d,
        products.order_count_30d,
        products.order_count_90d,
        products.order_count_365d,
        products.season_order_count,
        products.first_bought_at,
        products.last_bought_at,
        products.repeat_share,
        products.mean_price_amount,
        popular.segment_order_count,
        coalesce(paired.co_purchase_score, 0) as co_purchase_score,
        coalesce(paired.co_purchase_most, 0) as co_purchase_most,
        coalesce(paired.co_purchase_lift, 0) as co_purchase_lift,
        customers.order_count as customer_order_count,
        customers.product_count as customer_product_count,
        customers.products_per_order,
        customers.new_product_share,
        customers.days_since_last_order,
        customers.mean_price_amount as customer_mean_price_amount
    from candidates
    inner join customers
        on
            candidates.customer_id = customers.customer_id
            and candidates.as_of_on = customers.as_of_on
    inner join {{ ref('product_popularity') }} as products
        on
            candidates.as_of_on = products.as_of_on
            and candidates.product_id = products.product_id
    left join owned
        on
            candidates.customer_id = owned.customer_id
            and candidates.as_of_on = owned.as_of_on
            and candidates.product_id = owned.product_id
    left join paired
        on
            candidates.customer_id = paired.customer_id
            and candidates.as_of_on = paired.as_of_on
            and candidates.product_id = paired.product_id
    left join popular
        on
            customers.as_of_on = popular.as_of_on
            and customers.segment = popular.segment
            and candidates.product_id = popular.product_id

),

-- What the customer has never bought has no time since: null, not a large number.
measured as (

    select
        customer_id,
        as_of_on,
        as_of_at,
        product_id,
        segment,
        last_bought_at as history_until_at,
        is_owned,
        {%- for name in features if name.startswith('own_order_count') or name in [
            'order_count_7d', 'order_count_30d', 'order_count_90d', 'order_count_365d', 'season_order_count',
            'segment_order_count', 'customer_order_count', 'customer_product_count',
        ] %}
        cast({{ name }} as bigint) as {{ name }},
        {%- endfor %}
        cast(own_order_count as double) / customer_order_count as own_order_share,
        {{ days_between('own_last_bought_at', 'as_of_at') }} as own_days_since_last,
        {{ days_between('own_first_bought_at', 'as_of_at') }} as own_days_since_first,
        cast({{ seconds_between('own_last_bought_at', 'as_of_at') }} * (own_order_count - 1) as double)
        / nullif({{ seconds_between('own_first_bought_at', 'own_last_bought_at') }}, 0) as own_recency_in_gaps,
        cast(order_count_30d as double) / order_count as order_share_30d,
        {{ days_between('first_bought_at', 'as_of_at') }} as days_since_first_sold,
        {{ days_between('last_bought_at', 'as_of_at') }} as days_since_last_sold,
        repeat_share,
        cast(co_purchase_score as double) as co_purchase_score,
        cast(co_purchase_most as double) as co_purchase_most,
        cast(co_purchase_lift as double) as co_purchase_lift,
        mean_price_amount,
        mean_price_amount / nullif(customer_mean_price_amount, 0) as relative_price,
        products_per_order,
        new_product_share,
        days_since_last_order
    from joined

)

select
    customer_id,
    as_of_on,
    product_id,
    segment,
    history_until_at,
    {{ features | join(',\n    ') }}
from measured
