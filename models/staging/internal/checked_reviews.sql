with

ranked as (

    {{ checked_rows('reviews') }}

)

select
    *,
    case
        when review_id is null then 'missing_key'
        when duplicate_rank > 1 then 'duplicate_key'
        when {{ missing_required('reviews') }} then 'missing_value'
        -- A text of white space says as little as none.
        when {{ replaced_everywhere('text', '[[:space:]]+', '') }} = '' then 'missing_value'
        when created_at > loaded_at then 'later_than_loaded_at'
        when created_at > {{ setting('as_of') }} then 'later_than_as_of'
        when rating not between 1 and 5 then 'rating_out_of_range'
    end as reject_reason
from ranked
