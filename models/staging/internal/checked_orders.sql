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
        when ordered_at > loaded_at then 'later_than_loaded_at'
        when ordered_at > {{ setting('as_of') }} then 'later_than_as_of'
    end as reject_reason
from ranked
