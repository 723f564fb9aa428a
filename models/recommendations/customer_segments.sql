select
    customer_id,
    as_of_on,
    segment
from {{ ref('customer_segments_computed') }}
