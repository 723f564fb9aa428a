-- Features, scores and labels of each window beside what the serving version learned from.
{% set grain = ['model_name', 'model_version', 'column_name', 'window_start_on'] %}

with

profile as (

    select * from {{ ref('profile_bins') }}

),

reference as (

    select
        model_name,
        model_version,
        column_name,
        bin,
        max(kind) as kind,
        max(mean_value) as mean_value,
        -- Later scores are held against those of the test rows.
        max(case when column_name = 'score' then test_design_effect else train_design_effect end) as design_effect,
        sum(reference_rows) as reference_rows,
        sum(test_rows) as test_rows,
        sum(test_squared_error) as test_squared_error
    from profile
    group by model_name, model_version, column_name, bin

),

windows as (

    select * from {{ ref('monitored_windows') }}

),

counted as (

    {{ bins_now() }}

),

labels as (

    select
        model_name,
        model_version,
        window_start_on,
        sum(positives) as positives,
        sum(matured_rows - positives) as negatives
    from counted
    where column_name is null
    group by model_name, model_version, window_start_on

),

present as (

    select
        model_name,
        model_version,
        window_start_on,
        column_name,
        bin,
        category,
        row_count
    from counted
    where column_name is not null

    union all

    select
        model_name,
        model_version,
        window_start_on,
        'label' as column_name,
        cast(null as integer) as bin,
        'true' as category,
        positives as row_count
    from labels

    union all

    select
        model_name,
        model_version,
        window_start_on,
        'label' as column_name,
        cast(null as integer) as bin,
        'false' as category,
        negatives as row_count
    from labels

),

others as (

    select
        model_name,
        model_version,
        column_name,
        max(kind) as kind,
        max(bin) as others_bin
    from reference
    group by model_name, model_version, column_name

),

placed as (

    select
        present.model_name,
        present.model_version,
        present.window_start_on,
        present.column_name,
        case
            when others.kind = 'number' then present.bin
            when present.category is null then -1
            else coalesce(profile.bin, others.others_bin)
        end as bin,
        present.row_count,
        case
            when others.kind = 'level' and present.category is not null and profile.bin is null
                then present.row_count
            else 0
        end as unseen_rows
    from present
    inner join others
        on
            present.model_name = others.model_name
            and present.model_version = others.model_version
            and present.column_name = others.column_name
    left join profile
        on
            present.model_name = profile.model_name
            and present.model_version = profile.model_version
            and present.column_name = profile.column_name
            and present.category = profile.category

),

current_rows as (

    select
        model_name,
        model_version,
        window_start_on,
        column_name,
        bin,
        sum(row_count) as current_rows,
        sum(unseen_rows) as unseen_rows
    from placed
    group by model_name, model_version, window_start_on, column_name, bin

),

unseen as (

    select
        {{ grain | join(',\n        ') }},
        sum(unseen_rows) as unseen_rows
    from current_rows
    group by {{ grain | join(', ') }}

),

binned as (

    select
        reference.model_name,
        reference.model_version,
        reference.column_name,
        windows.window_start_on,
        reference.bin,
        reference.mean_value,
        reference.reference_rows,
        reference.test_rows,
        reference.test_squared_error,
        reference.design_effect as reference_design_effect,
        coalesce(current_rows.current_rows, 0) as current_rows,
        cast(windows.scored_rows as double) / windows.effective_rows as current_design_effect
    from reference
    inner join windows
        on reference.model_name = windows.model_name and reference.model_version = windows.model_version
    left join current_rows
        on
            reference.model_name = current_rows.model_name
            and reference.model_version = current_rows.model_version
            and reference.column_name = current_rows.column_name
            and windows.window_start_on = current_rows.window_start_on
            and reference.bin = current_rows.bin

),

{{ drift_measures('binned', grain) }}

select
    drift.model_name,
    drift.model_version,
    drift.column_name,
    drift.window_start_on,
    {{ window_end('drift.window_start_on') }} as window_end_on,
    drift.reference_rows,
    drift.current_rows,
    drift.reference_missing_share,
    drift.missing_share,
    cast(unseen.unseen_rows as double) / nullif(drift.current_rows, 0) as unseen_share,
    case when drift.current_rows > 0 then drift.psi end as psi,
    drift.psi_threshold,
    case when drift.current_rows > 0 then drift.jensen_shannon end as jensen_shannon,
    case when drift.current_rows > 0 then drift.wasserstein end as wasserstein,
    case when drift.current_rows > 0 then drift.brier_change end as brier_change,
    case when drift.current_rows > 0 then drift.brier_change_low end as brier_change_low,
    case when drift.current_rows > 0 then drift.brier_change_high end as brier_change_high,
    -- What was constant and still is has one bin, and no threshold.
    case
        when round(drift.current_effective, 6) >= {{ setting('drift_min_rows') }}
            then coalesce(drift.psi > drift.psi_threshold, false)
    end as is_drifted
from drift
left join unseen
    on
        drift.model_name = unseen.model_name
        and drift.model_version = unseen.model_version
        and drift.column_name = unseen.column_name
        and drift.window_start_on = unseen.window_start_on
