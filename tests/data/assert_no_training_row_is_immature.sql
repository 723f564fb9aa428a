{{ config(group='purchase_intent') }}

with

watermarks as (

    select
        max(case when table_name = 'sessions' then watermark_at end) as sessions_watermark_at,
        max(case when table_name = 'orders' then watermark_at end) as orders_watermark_at
    from {{ ref('source_watermarks') }}

),

rows_to_learn_from as (

    select
        'purchase_intent' as task_name,
        training_set.session_id as entity_id,
        training_set.split,
        training_set.is_purchase as is_positive,
        {{ dbt.dateadd('hour', setting('session_label_hours'), 'training_set.started_at') }} as matures_at,
        watermarks.sessions_watermark_at as watermark_at
    from {{ ref('purchase_intent_training_set') }} as training_set
    cross join watermarks

    union all

    select
        'churn' as task_name,
        training_set.customer_id as entity_id,
        training_set.split,
        training_set.is_churned as is_positive,
        {{ dbt.dateadd(
            'day', setting('churn_window_days'), 'cast(training_set.as_of_on as timestamp)'
        ) }} as matures_at,
        watermarks.orders_watermark_at as watermark_at
    from {{ ref('churn_training_set') }} as training_set
    cross join watermarks

    union all

    select
        'product_recommendations' as task_name,
        training_set.customer_id as entity_id,
        training_set.split,
        training_set.is_bought as is_positive,
        {{ dbt.dateadd(
            'day', setting('recommendation_window_days'), 'cast(training_set.as_of_on as timestamp)'
        ) }} as matures_at,
        watermarks.orders_watermark_at as watermark_at
    from {{ ref('product_recommendations_training_set') }} as training_set
    cross join watermarks

)

select * from rows_to_learn_from
where is_positive is null or not coalesce(matures_at <= watermark_at, false)
