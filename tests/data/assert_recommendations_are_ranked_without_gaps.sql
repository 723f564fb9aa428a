select
    customer_id,
    as_of_on,
    count(*) as recommendations,
    count(distinct product_id) as products,
    min(rank) as first_rank,
    max(rank) as last_rank
from {{ ref('product_recommendations') }}
group by customer_id, as_of_on
having
    min(rank) <> 1
    or max(rank) <> count(*)
    or count(distinct rank) <> count(*)
    or count(distinct product_id) <> count(*)
