with

ranked as (

    {{ checked_rows('products') }}

)

select
    *,
    case
        when product_id is null then 'missing_key'
        when duplicate_rank > 1 then 'duplicate_key'
        when {{ missing_required('products') }} then 'missing_value'
        -- Nothing is a price: gifts and samples are products too.
        when price_amount < 0 then 'negative_amount'
    end as reject_reason
from ranked
