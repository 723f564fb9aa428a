select
    review_id,
    customer_id,
    product_id,
    created_at,
    rating,
    title,
    text,
    reply_at,
    loaded_at
from {{ ref('checked_reviews') }}
where reject_reason is null
