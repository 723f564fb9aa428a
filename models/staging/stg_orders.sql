select
    order_id,
    customer_id,
    session_id,
    ordered_at,
    status,
    status_changed_at,
    discount_amount,
    payment_method,
    loaded_at
from {{ ref('checked_orders') }}
where reject_reason is null
