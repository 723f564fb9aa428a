with

-- A date of the past is there to learn what those bought who bought something; the others would
-- cost most of the work and teach nothing. Who they are does not show in any feature.
buyers as (

    select distinct
        customer_id,
        as_of_on
    from {{ ref('recommendation_outcomes') }}

),

segments as (

    select
        segments.customer_id,
        segments.as_of_on,
        segments.segment,
        dates.as_of_at,
        dates.is_newest,
        -- Where there are too many, the id alone tells who is looked at.
        row_number() over (
            partition by segments.as_of_on
            order by md5(segments.customer_id), segments.customer_id
        ) as place
    from {{ ref('customer_segments_computed') }} as segments
    inner join {{ ref('recommendation_dates') }} as dates on segments.as_of_on = dates.as_of_on
    left join buyers
        on
            segments.customer_id = buyers.customer_id
            and segments.as_of_on = buyers.as_of_on
    where dates.is_newest or buyers.customer_id is not null

),

chosen as (

    select *
    from segments
    where is_newest or place <= {{ setting('recommendation_past_customers') }}

),

bought as (

    select
        customer_id,
        as_of_on,
        sum(order_count) as line_count,
        count(*) as product_count,
        sum(quantity) as quantity,
        sum(amount) as amount
    from {{ ref('customer_products') }}
    group by customer_id, as_of_on

)

select
    chosen.customer_id,
    chosen.as_of_on,
    chosen.as_of_at,
    chosen.segment,
    features.order_count,
    features.days_since_last_order,
    cast(coalesce(bought.product_count, 0) as bigint) as product_count,
    cast(bought.line_count as double) / features.order_count as products_per_order,
    cast(bought.product_count as double) / bought.line_count as new_product_share,
    cast(bought.amount as double) / nullif(cast(bought.quantity as double), 0) as mean_price_amount
from chosen
inner join {{ ref('customer_features_computed') }} as features
    on
        chosen.customer_id = features.customer_id
        and chosen.as_of_on = features.as_of_on
left join bought
    on
        chosen.customer_id = bought.customer_id
        and chosen.as_of_on = bought.as_of_on
