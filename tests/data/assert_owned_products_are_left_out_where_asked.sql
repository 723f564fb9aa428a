{{ config(group='recommendations') }}

select
    recommendations.customer_id,
    recommendations.product_id,
    min(purchases.ordered_at) as bought_at
from {{ ref('product_recommendations') }} as recommendations
inner join {{ ref('customer_purchases') }} as purchases
    on
        recommendations.customer_id = purchases.customer_id
        and recommendations.product_id = purchases.product_id
where
    not {{ setting('recommend_owned') }}
    and purchases.ordered_at < cast(recommendations.as_of_on as timestamp)
    and (purchases.cancelled_at is null or purchases.cancelled_at >= cast(recommendations.as_of_on as timestamp))
group by recommendations.customer_id, recommendations.product_id
