select
    model_name,
    model_version,
    column_name,
    window_start_on,
    window_end_on,
    cast(reference_rows as bigint) as reference_rows,
    cast(current_rows as bigint) as current_rows,
    psi,
    psi_threshold,
    jensen_shannon,
    wasserstein,
    is_drifted
from {{ ref('column_drift') }}
where column_name = 'score'
