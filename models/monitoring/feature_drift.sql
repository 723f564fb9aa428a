select
    model_name,
    model_version,
    column_name,
    window_start_on,
    window_end_on,
    cast(reference_rows as bigint) as reference_rows,
    cast(current_rows as bigint) as current_rows,
    reference_missing_share,
    missing_share,
    unseen_share,
    psi,
    psi_threshold,
    jensen_shannon,
    wasserstein,
    brier_change,
    brier_change_low,
    brier_change_high,
    is_drifted
from {{ ref('column_drift') }}
where column_name not in ('score', 'label')
