with

ranked as (

    {{ checked_rows('sessions') }}

)

select
    *,
    case
        when session_id is null then 'missing_key'
        when duplicate_rank > 1 then 'duplicate_key'
        when {{ missing_required('sessions') }} then 'missing_value'
        when started_at > loaded_at then 'later_than_loaded_at'
        when started_at > {{ setting('as_of') }} then 'later_than_as_of'
        when
            least(administrative_duration, informational_duration, product_related_duration) < 0
            or page_load_time_ms < 0
            then 'negative_duration'
        when least(administrative, informational, product_related) < 0 then 'negative_count'
        when
            least(bounce_rates, exit_rates, special_day) < 0
            or greatest(bounce_rates, exit_rates, special_day) > 1
            then 'rate_out_of_range'
        -- Infinite, not a number (greater than all others), or more than a float of 32 bits holds, which models
        -- read: https://docs.snowflake.com/en/sql-reference/data-types-numeric#special-values
        when page_values not between -3e38 and 3e38 then 'value_out_of_range'
        when product_rating not between 1 and 5 then 'rating_out_of_range'
    end as reject_reason
from ranked
