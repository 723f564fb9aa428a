select
    model_name,
    model_version,
    window_start_on,
    {{ window_end('window_start_on') }} as window_end_on,
    slice,
    column_name,
    cast(row_count as bigint) as scored_rows,
    cast(matured_rows as bigint) as matured_rows,
    cast(positives as bigint) as positives,
    cast(expected_positives as double) / nullif(matured_rows, 0) as expected_rate,
    cast(positives as double) / nullif(matured_rows, 0) as observed_rate,
    {{ wilson_interval('positives', 'matured_rows', 'low', 'design_effect') }} as observed_rate_low,
    {{ wilson_interval('positives', 'matured_rows', 'high', 'design_effect') }} as observed_rate_high,
    cast(squared_error as double) / nullif(matured_rows, 0) as brier,
    cast(squared_error - variance as double) / nullif(matured_rows, 0) as brier_excess,
    -- The excess of sound scores has this variance (Spiegelhalter, Statistics in Medicine, 1986) where rows err
    -- independently.
    (
        cast(squared_error - variance as double)
        - 1.959963984540054 * sqrt(cast(error_variance as double) * design_effect)
    )
    / nullif(matured_rows, 0) as brier_excess_low,
    deviate,
    adjusted_p_value,
    case
        when adjusted_p_value is not null
            then
                adjusted_p_value < {{ setting('slice_false_alarm_rate') }}
                and abs(cast(positives - expected_positives as double) / nullif(matured_rows, 0))
                > {{ setting('calibration_margin') }}
    end as is_miscalibrated,
    case
        when adjusted_p_value is not null
            then
                adjusted_p_value < {{ setting('slice_false_alarm_rate') }}
                and abs(cast(positives - expected_positives as double) / nullif(matured_rows, 0))
                > {{ setting('calibration_margin') }}
                and cast(squared_error - variance as double)
                > 1.959963984540054 * sqrt(cast(error_variance as double) * design_effect)
    end as is_harmful
from {{ ref('slice_measures') }}
