with

watermark as (

    select watermark_at
    from {{ ref('source_watermarks') }}
    where table_name = 'orders'

),

labels as (

    select
        customer_id,
        as_of_on,
        is_churned,
        {{ dbt.dateadd('day', setting('churn_window_days'), 'cast(as_of_on as timestamp)') }} as matures_at
    from {{ ref('churn_labels') }}

)

select
    labels.*,
    watermark.watermark_at
from labels
cross join watermark
where
    labels.is_churned is not null
    and not coalesce(labels.matures_at <= watermark.watermark_at, false)
