with

reviews as (

    select *
    from {{ ref('review_facts') }}
    where product_id is not null

)

select
    product_id,
    month_on,
    {{ review_measures() }}
from reviews
group by product_id, month_on
