select
    customer_id,
    as_of_on,
    segment,
    rank,
    product_id,
    product_name,
    category,
    score,
    model_version,
    ranker,
    is_owned
from {{ ref('product_recommendations_ranked') }}
