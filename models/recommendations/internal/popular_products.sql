with

products as (

    select * from {{ ref('product_popularity') }}

),

by_segment as (

    select
        bought.as_of_on,
        segments.segment,
        bought.product_id,
        cast(sum(bought.order_count_90d) as bigint) as order_count
    from {{ ref('customer_products') }} as bought
    inner join {{ ref('customer_segments_computed') }} as segments
        on
            bought.customer_id = segments.customer_id
            and bought.as_of_on = segments.as_of_on
    where bought.order_count_90d > 0
    group by bought.as_of_on, segments.segment, bought.product_id

),

lists as (

    {% for list_name, column in [
        ('week', 'order_count_7d'), ('month', 'order_count_30d'), ('season', 'season_order_count')
    ] %}
    select
        as_of_on,
        cast(null as {{ api.Column.translate_type('string') }}) as segment,
        product_id,
        '{{ list_name }}' as list_name,
        {{ column }} as order_count
    from products
    where {{ column }} > 0

    union all

    {% endfor -%}

    select
        as_of_on,
        segment,
        product_id,
        'segment' as list_name,
        order_count
    from by_segment

),

ranked as (

    select
        *,
        row_number() over (
            partition by as_of_on, list_name, segment
            order by order_count desc nulls last, product_id asc
        ) as list_rank
    from lists

)

select
    as_of_on,
    segment,
    product_id,
    cast(list_name as {{ api.Column.translate_type('string') }}) as list_name,
    order_count,
    cast(list_rank as integer) as list_rank
from ranked
where list_rank <= {{ setting('recommendation_popular_candidates') }}
