select
    product_id,
    name,
    category,
    price_amount,
    loaded_at
from {{ ref('checked_products') }}
where reject_reason is null
