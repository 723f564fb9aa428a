{{ config(group='purchase_intent') }}

with

watermark as (

    select watermark_at
    from {{ ref('source_watermarks') }}
    where table_name = 'sessions'

)

select
    training_set.session_id,
    training_set.split,
    training_set.is_purchase,
    training_set.started_at,
    watermark.watermark_at
from {{ ref('purchase_intent_training_set') }} as training_set
cross join watermark
where
    training_set.is_purchase is null
    or {{ dbt.dateadd('hour', setting('session_label_hours'), 'training_set.started_at') }}
    > watermark.watermark_at
