with

ranked as (

    {{ checked_rows('orders') }}

)

select
    *,
    case
        when order_id is null then 'missing_key'
        when duplicate_rank > 1 then 'duplicate_key'
        when {{ missing_required('orders') }} then 'missing_value'
        when ordered_at > loaded_at or status_changed_at > loaded_at then 'later_than_loaded_at'
        -- A change of status later than `as_of` is not known yet; the order is.
        when ordered_at > {{ setting('as_of') }} then 'later_than_as_of'
        when status_changed_at < ordered_at then 'changed_before_ordered'
        when {{ unknown_value('orders', 'status') }} then 'unknown_status'
        when discount_amount < 0 then 'negative_amount'
    end as reject_reason
from ranked
