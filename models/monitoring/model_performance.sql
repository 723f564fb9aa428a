{% set primary_high -%}
    case promoted.primary_metric
        when 'roc_auc' then performance.roc_auc_high
        when 'pr_auc' then performance.pr_auc_high
        else performance.f1_high
    end
{%- endset %}

with

promoted as (

    -- How the version measured when it was trained; the newest training of the same trees counts.
    select
        model_name,
        model_version,
        primary_metric,
        case primary_metric when 'roc_auc' then roc_auc when 'pr_auc' then pr_auc when 'f1' then f1 end
            as promotion_value
    from {{ ref('model_runs') }}
    where decision in ('trained_promoted', 'trained_rejected')
    qualify row_number() over (partition by model_name, model_version order by decision_number desc nulls last) = 1

),

-- What is measured of segments is in segment_performance.
all_rows as (

    select * from {{ ref('performance_measured') }}
    where segment = 'all rows'

),

{{ performance_metrics('all_rows') }}

select
    performance.model_name,
    performance.model_version,
    performance.window_start_on,
    {{ window_end('performance.window_start_on') }} as window_end_on,
    performance.scored_rows,
    performance.matured_rows,
    performance.positives,
    performance.roc_auc,
    performance.roc_auc_low,
    performance.roc_auc_high,
    performance.pr_auc,
    performance.pr_auc_low,
    performance.pr_auc_high,
    performance.f1,
    performance.f1_low,
    performance.f1_high,
    performance.precision,
    performance.precision_low,
    performance.precision_high,
    performance.recall,
    performance.recall_low,
    performance.recall_high,
    performance.brier,
    performance.brier_low,
    performance.brier_high,
    performance.observed_rate,
    performance.observed_rate_low,
    performance.observed_rate_high,
    performance.expected_rate,
    performance.estimated_roc_auc,
    performance.estimated_f1,
    performance.estimated_precision,
    performance.estimated_recall,
    performance.estimated_brier,
    promoted.primary_metric,
    promoted.promotion_value,
    {{ primary_high }} as primary_high,
    {{ primary_high }} < promoted.promotion_value - {{ setting('retrain_metric_margin') }} as has_fallen
from performance
inner join promoted
    on performance.model_name = promoted.model_name and performance.model_version = promoted.model_version
