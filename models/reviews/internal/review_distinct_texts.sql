select
    content_hash,
    masked_text,
    created_at as first_created_at,
    review_id as first_review_id
from {{ ref('review_texts') }}
qualify row_number() over (partition by content_hash order by created_at, review_id) = 1
