with

promoted as (

    -- How the version measured when it was trained; the newest training of the same trees counts.
    select
        model_name,
        model_version,
        primary_metric,
        {{ of_primary_metric() }} as promotion_value,
        {{ of_primary_metric(ending='_low') }} as promotion_low
    from {{ ref('model_runs') }}
    where decision in ('trained_promoted', 'trained_rejected')
    qualify row_number() over (partition by model_name, model_version order by decision_number desc nulls last) = 1

),

-- What is measured of segments is in segment_performance.
all_rows as (

    select * from {{ ref('performance_measured') }}
    where segment = 'all rows'

),

{{ performance_metrics('all_rows') }},

compared as (

    select
        performance.*,
        promoted.primary_metric,
        promoted.promotion_value,
        promoted.promotion_low,
        {{ of_primary_metric('performance.') }} as primary_value,
        {{ of_primary_metric('performance.', '_high') }} as primary_high
    from performance
    inner join promoted
        on performance.model_name = promoted.model_name and performance.model_version = promoted.model_version

),

-- Both values were measured on some rows: the chance of both counts.
judged as (

    select
        *,
        {{ unpaired_difference_interval(
            'promotion_value', 'promotion_low', 'primary_value', 'primary_high', 'low'
        ) }} as fall_low
    from compared

)

select
    model_name,
    model_version,
    window_start_on,
    {{ window_end('window_start_on') }} as window_end_on,
    scored_rows,
    matured_rows,
    positives,
    roc_auc,
    roc_auc_low,
    roc_auc_high,
    pr_auc,
    pr_auc_low,
    pr_auc_high,
    f1,
    f1_low,
    f1_high,
    precision,
    precision_low,
    precision_high,
    recall,
    recall_low,
    recall_high,
    brier,
    brier_low,
    brier_high,
    observed_rate,
    observed_rate_low,
    observed_rate_high,
    expected_rate,
    estimated_roc_auc,
    estimated_f1,
    estimated_precision,
    estimated_recall,
    estimated_brier,
    primary_metric,
    promotion_value,
    primary_value,
    primary_high,
    fall_low,
    promotion_value - primary_value > {{ setting('retrain_metric_margin') }} and fall_low > 0 as has_fallen
from judged
