select
    customer_id,
    signed_up_on,
    gender,
    age,
    location,
    plan,
    loaded_at
from {{ ref('checked_customers') }}
where reject_reason is null
