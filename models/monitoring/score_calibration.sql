-- Bins of the score come from the test rows of the version: tenths, unless many scores are equal.
with

bins as (

    {{ bins_now() }}
    where bins.is_new and bins.column_name = 'score'

),

totals as (

    select
        model_name,
        model_version,
        window_start_on,
        sum(positives) as positives,
        sum(matured_rows) as matured_rows
    from bins
    group by model_name, model_version, window_start_on

)

select
    bins.model_name,
    bins.model_version,
    bins.window_start_on,
    {{ window_end('bins.window_start_on') }} as window_end_on,
    bins.bin as score_bin,
    profile.upper_edge as score_to,
    bins.row_count as scored_rows,
    bins.matured_rows,
    bins.positives,
    cast(bins.expected_positives as double) / nullif(bins.matured_rows, 0) as expected_rate,
    cast(bins.positives as double) / nullif(bins.matured_rows, 0) as observed_rate,
    {{ wilson_interval('bins.positives', 'bins.matured_rows', 'low') }} as observed_rate_low,
    {{ wilson_interval('bins.positives', 'bins.matured_rows', 'high') }} as observed_rate_high,
    cast(bins.positives as double) / nullif(bins.matured_rows, 0)
    / nullif(cast(totals.positives as double) / nullif(totals.matured_rows, 0), 0) as lift
from bins
inner join totals
    on
        bins.model_name = totals.model_name
        and bins.model_version = totals.model_version
        and bins.window_start_on = totals.window_start_on
inner join {{ ref('profile_bins') }} as profile
    on
        bins.model_name = profile.model_name
        and bins.model_version = profile.model_version
        and profile.column_name = 'score'
        and bins.bin = profile.bin
