-- What customers bought in the window, once it has passed. A purchase that was cancelled before the
-- end of the window does not count.
with

dates as (

    select * from {{ ref('recommendation_dates') }}
    where split is not null

),

bought as (

    select
        purchases.customer_id,
        dates.as_of_on,
        dates.until_at,
        purchases.product_id,
        min(purchases.order_id) as source_row_key
    from dates
    inner join {{ ref('customer_purchases') }} as purchases
        on
            dates.as_of_at <= purchases.ordered_at
            and dates.until_at > purchases.ordered_at
    where purchases.cancelled_at is null or purchases.cancelled_at >= dates.until_at
    group by purchases.customer_id, dates.as_of_on, dates.until_at, purchases.product_id

),

definition as (

    select max(label_definition_version) as label_definition_version
    from {{ ref('label_definitions') }}
    where label_name = 'is_bought'

)

select
    bought.customer_id,
    bought.as_of_on,
    bought.product_id,
    segments.segment,
    history.product_id is not null as is_owned,
    cast(bought.until_at as date) as matured_on,
    bought.source_row_key,
    cast(definition.label_definition_version as integer) as label_definition_version
from bought
-- Nobody can be offered what follows from a history to those who have none.
inner join {{ ref('customer_segments_computed') }} as segments
    on
        bought.customer_id = segments.customer_id
        and bought.as_of_on = segments.as_of_on
left join {{ ref('customer_products') }} as history
    on
        bought.customer_id = history.customer_id
        and bought.as_of_on = history.as_of_on
        and bought.product_id = history.product_id
cross join definition
