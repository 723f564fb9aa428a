with

watermarks as (

    select
        max(case when table_name = 'sessions' then watermark_at end) as sessions_watermark_at,
        max(case when table_name = 'orders' then watermark_at end) as orders_watermark_at
    from {{ ref('source_watermarks') }}

),

labels as (

    select
        labels.session_id,
        labels.is_purchase,
        labels.label_source,
        {{ dbt.dateadd('hour', setting('session_label_hours'), 'features.started_at') }} as matures_at
    from {{ ref('session_labels') }} as labels
    inner join {{ ref('session_features') }} as features on labels.session_id = features.session_id

)

select
    labels.*,
    watermarks.sessions_watermark_at,
    watermarks.orders_watermark_at
from labels
cross join watermarks
where
    labels.is_purchase is not null
    and (
        labels.matures_at > watermarks.sessions_watermark_at
        or (
            labels.label_source = 'orders'
            and not coalesce(labels.matures_at <= watermarks.orders_watermark_at, false)
        )
    )
