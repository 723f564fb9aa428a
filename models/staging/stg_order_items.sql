select
    order_id,
    line_number,
    product_id,
    quantity,
    unit_price_amount,
    loaded_at
from {{ ref('checked_order_items') }}
where reject_reason is null
