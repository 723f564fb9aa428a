select
    table_name,
    check_name,
    column_name,
    reject_reason,
    subject,
    window_start_on,
    window_end_on,
    is_closed,
    row_count,
    value,
    usual_value,
    reference_windows,
    threshold_low,
    threshold_high,
    threshold,
    is_failing
from {{ ref('data_quality_computed') }}
