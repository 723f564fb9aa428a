with

measured as (

    select
        *,
        customers >= {{ setting('min_class_rows') }} as is_enough
    from {{ ref('recommendation_performance_measured') }}

),

-- Whatever was served: a new version that is worse than the old one has to be seen, too.
earlier as (

    select
        measured.as_of_on,
        measured.model_version,
        measured.segment,
        sum(past.customers) as customers,
        sum(past.ndcg_total) as ndcg_total,
        sum(past.ndcg_squares) as ndcg_squares
    from measured
    inner join measured as past
        on measured.segment = past.segment and measured.as_of_on > past.as_of_on
    group by measured.as_of_on, measured.model_version, measured.segment

),

compared as (

    select
        measured.*,
        cast(earlier.customers as bigint) as earlier_customers,
        cast(earlier.ndcg_total as double) / nullif(earlier.customers, 0) as earlier_ndcg_10,
        {{ squared_error('earlier.ndcg_total', 'earlier.ndcg_squares', 'earlier.customers') }}
        + {{ squared_error('measured.ndcg_total', 'measured.ndcg_squares', 'measured.customers') }}
            as lead_squared_error,
        measured.is_enough and earlier.customers >= {{ setting('min_class_rows') }} as is_comparable
    from measured
    left join earlier
        on
            measured.as_of_on = earlier.as_of_on
            and measured.model_version = earlier.model_version
            and measured.segment = earlier.segment

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
    from compared

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
    case when is_enough then recall_10 end as recall_10,
    earlier_customers,
    case when is_comparable then earlier_ndcg_10 end as earlier_ndcg_10,
    case
        when is_comparable
            then
                earlier_ndcg_10 - ndcg_10 - {{ setting('retrain_metric_margin') }}
                > 1.959963984540054 * sqrt(lead_squared_error)
    end as has_fallen
from figures
