with

segments as (

    select * from {{ ref('performance_measured') }}
    where segment <> 'all rows'

),

{{ performance_metrics('segments') }}

select
    model_name,
    model_version,
    window_start_on,
    {{ window_end('window_start_on') }} as window_end_on,
    segment,
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
    estimated_brier
from performance
