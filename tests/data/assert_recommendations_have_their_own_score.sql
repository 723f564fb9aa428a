{{ config(group='recommendations') }}

-- Where a rule ranks there are no scores.
select
    recommendations.customer_id,
    recommendations.as_of_on,
    recommendations.rank,
    recommendations.product_id,
    recommendations.score,
    scored.score as score_of_the_product
from {{ ref('product_recommendations') }} as recommendations
left join {{ ref('product_recommendations_scored') }} as scored
    on
        recommendations.customer_id = scored.customer_id
        and recommendations.as_of_on = scored.as_of_on
        and recommendations.product_id = scored.product_id
        and recommendations.model_version = scored.model_version
where
    recommendations.ranker = 'model'
    and coalesce(abs(recommendations.score - scored.score) > 1e-9, true)
