with

measured as (

    select
        *,
        customers >= {{ setting('min_class_rows') }} as is_enough
    from {{ ref('recommendation_performance_measured') }}

),

figures as (

    select
        *,
        cast(hit_customers as double) / nullif(customers, 0) as hit_rate_10,
        {{ wilson_interval('hit_customers', 'customers', 'low') }} as hit_rate_10_low,
        {{ wilson_interval('hit_customers', 'customers', 'high') }} as hit_rate_10_high,
        cast(ndcg_total as double) / nullif(customers, 0) as ndcg_10,
        {{ mean_interval('ndcg_total', 'ndcg_squares', 'customers', 'low') }} as ndcg_10_low,
        {{ mean_interval('ndcg_total', 'ndcg_squares', 'customers', 'high') }} as ndcg_10_high,
        cast(hit_products as double) / nullif({{ measured_places() }} * customers, 0) as precision_10,
        cast(hit_products as double) / nullif(bought_products, 0) as recall_10
    from measured

)

select
    as_of_on,
    matured_on,
    ranker,
    model_version,
    segment,
    cast(customers as bigint) as customers,
    case when is_enough then hit_rate_10 end as hit_rate_10,
    case when is_enough then hit_rate_10_low end as hit_rate_10_low,
    case when is_enough then hit_rate_10_high end as hit_rate_10_high,
    case when is_enough then ndcg_10 end as ndcg_10,
    case when is_enough then ndcg_10_low end as ndcg_10_low,
    case when is_enough then ndcg_10_high end as ndcg_10_high,
    case when is_enough then precision_10 end as precision_10,
    case when is_enough then recall_10 end as recall_10
from figures
