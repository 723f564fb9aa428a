-- Intervals are of 95 %. `squared_error` of macros/metrics is the variance of a mean.
{% set recall = 'cast(true_positives as double) / nullif(positives, 0)' %}
{% set precision = 'cast(true_positives as double) / nullif(true_positives + false_positives, 0)' %}
{% set primary_high -%}
    case promoted.primary_metric
        when 'roc_auc' then bounded.roc_auc_high
        when 'pr_auc' then bounded.pr_auc_high
        else bounded.f1_high
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

-- Of too few rows of either class nothing is said.
enough as (

    select
        *,
        least(positives, matured_rows - positives) >= {{ setting('min_class_rows') }} as is_enough
    from {{ ref('performance_measured') }}

),

measured as (

    select
        *,
        cast(right_positives as double) / nullif(positives, 0) as roc_auc,
        {{ squared_error('right_positives', 'right_positives_squared', 'positives') }}
        + {{ squared_error('right_negatives', 'right_negatives_squared', '(matured_rows - positives)') }}
            as roc_auc_variance,
        cast(precision_of_positives as double) / nullif(positives, 0) as pr_auc,
        {{ precision }} as precision,
        {{ recall }} as recall,
        2 * cast(true_positives as double)
        / nullif(2 * true_positives + false_positives + false_negatives, 0) as f1,
        cast(true_positives as double) / nullif(matured_rows, 0) as hit_share,
        cast(false_positives + false_negatives as double) / nullif(matured_rows, 0) as miss_share,
        cast(squared_error as double) / nullif(matured_rows, 0) as brier,
        cast(expected_positives as double) / nullif(matured_rows, 0) as expected_rate,
        cast(positives as double) / nullif(matured_rows, 0) as observed_rate,
        cast(estimated_right_pairs as double) / nullif(
            cast(estimated_positives as double) * (scored_rows - cast(estimated_positives as double)), 0
        ) as estimated_roc_auc,
        cast(estimated_true_positives as double) / nullif(predicted_rows, 0) as estimated_precision,
        cast(estimated_true_positives as double)
        / nullif(cast(estimated_positives as double), 0) as estimated_recall,
        2 * cast(estimated_true_positives as double)
        / nullif(predicted_rows + cast(estimated_positives as double), 0) as estimated_f1,
        cast(estimated_squared_error as double) / nullif(scored_rows, 0) as estimated_brier
    from enough

),

-- The scale on which the interval of an average precision is drawn (Boyd, Eng and Page, 2013).
scaled as (

    select
        *,
        ln(nullif(pr_auc, 0) / nullif(1 - pr_auc, 0)) as pr_auc_logit,
        1.959963984540054 / sqrt(nullif(positives * pr_auc * (1 - pr_auc), 0)) as pr_auc_error,
        -- By the delta method, of the shares of hits and misses.
        1.959963984540054 * sqrt(
            4 * hit_share * miss_share * (hit_share + miss_share)
            / nullif(matured_rows * power(2 * hit_share + miss_share, 4), 0)
        ) as f1_error,
        1.959963984540054 * sqrt(roc_auc_variance) as roc_auc_error
    from measured

),

bounded as (

    select
        *,
        greatest(roc_auc - roc_auc_error, 0) as roc_auc_low,
        least(roc_auc + roc_auc_error, 1) as roc_auc_high,
        1 / (1 + exp(pr_auc_error - pr_auc_logit)) as pr_auc_low,
        1 / (1 + exp(-pr_auc_error - pr_auc_logit)) as pr_auc_high,
        greatest(f1 - f1_error, 0) as f1_low,
        least(f1 + f1_error, 1) as f1_high,
        {{ wilson_interval('true_positives', '(true_positives + false_positives)', 'low') }} as precision_low,
        {{ wilson_interval('true_positives', '(true_positives + false_positives)', 'high') }} as precision_high,
        {{ wilson_interval('true_positives', 'positives', 'low') }} as recall_low,
        {{ wilson_interval('true_positives', 'positives', 'high') }} as recall_high,
        {{ mean_interval('squared_error', 'squared_squared_error', 'matured_rows', 'low') }} as brier_low,
        {{ mean_interval('squared_error', 'squared_squared_error', 'matured_rows', 'high') }} as brier_high,
        {{ wilson_interval('positives', 'matured_rows', 'low') }} as observed_rate_low,
        {{ wilson_interval('positives', 'matured_rows', 'high') }} as observed_rate_high
    from scaled

)

select
    bounded.model_name,
    bounded.model_version,
    bounded.window_start_on,
    {{ window_end('bounded.window_start_on') }} as window_end_on,
    cast(bounded.scored_rows as bigint) as scored_rows,
    cast(bounded.matured_rows as bigint) as matured_rows,
    cast(bounded.positives as bigint) as positives,
    {% for metric in ['roc_auc', 'pr_auc', 'f1', 'precision', 'recall', 'brier', 'observed_rate'] %}
    case when bounded.is_enough then bounded.{{ metric }} end as {{ metric }},
    case when bounded.is_enough then bounded.{{ metric }}_low end as {{ metric }}_low,
    case when bounded.is_enough then bounded.{{ metric }}_high end as {{ metric }}_high,
    {% endfor %}
    case when bounded.is_enough then bounded.expected_rate end as expected_rate,
    bounded.estimated_roc_auc,
    bounded.estimated_f1,
    bounded.estimated_precision,
    bounded.estimated_recall,
    bounded.estimated_brier,
    promoted.primary_metric,
    promoted.promotion_value,
    case when bounded.is_enough then {{ primary_high }} end as primary_high,
    case
        when bounded.is_enough
            then {{ primary_high }} < promoted.promotion_value - {{ setting('retrain_metric_margin') }}
    end as has_fallen
from bounded
inner join promoted
    on bounded.model_name = promoted.model_name and bounded.model_version = promoted.model_version
