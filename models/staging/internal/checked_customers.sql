with

ranked as (

    {{ checked_rows('customers') }}

)

select
    *,
    case
        when customer_id is null then 'missing_key'
        when duplicate_rank > 1 then 'duplicate_key'
        when {{ missing_required('customers') }} then 'missing_value'
        -- A day is compared by its first moment: who signed up on the day of loading is no error.
        when cast(signed_up_on as timestamp) > loaded_at then 'later_than_loaded_at'
        when cast(signed_up_on as timestamp) > {{ setting('as_of') }} then 'later_than_as_of'
        when age not between 0 and 130 then 'age_out_of_range'
    end as reject_reason
from ranked
