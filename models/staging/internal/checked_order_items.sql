with

ranked as (

    {{ checked_rows('order_items') }}

)

select
    *,
    case
        when order_id is null or line_number is null then 'missing_key'
        when duplicate_rank > 1 then 'duplicate_key'
        when {{ missing_required('order_items') }} then 'missing_value'
        when unit_price_amount < 0 then 'negative_amount'
        when quantity <= 0 then 'quantity_not_positive'
    end as reject_reason
from ranked
