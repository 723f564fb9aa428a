{#
  Metrics of groups of mature new rows, from their counts and sums: CTEs, the last of which,
  `performance`, has the columns of `measured` beside each metric and the ends of its 95 % interval. With
  fewer than `min_class_rows` of either class all are null but the estimates, which need no outcomes.

  - roc_auc: interval by DeLong, DeLong and Clarke-Pearson (1988).
  - pr_auc: average precision; interval on the logit scale (Boyd, Eng and Page, 2013).
  - f1: interval by the delta method, of the shares of hits and misses.
  - precision, recall, observed_rate: Wilson's intervals.
  - brier: interval by the normal approximation.
  - all of these are formulas for rows that err independently. Where visitors or customers come again their variances
    are larger by the design effect of the window's errors (Kish, Survey Sampling, 1965).
  - estimated_*: what the scores say of themselves, of all rows.

  measured: a CTE with the columns of performance_measured.
#}
{% macro performance_metrics(measured) %}
{% set shares = [
    ('precision', 'true_positives', '(true_positives + false_positives)'),
    ('recall', 'true_positives', 'positives'),
    ('observed_rate', 'positives', 'matured_rows'),
] %}
{% set recall = 'cast(true_positives as double) / nullif(positives, 0)' %}
{% set precision = 'cast(true_positives as double) / nullif(true_positives + false_positives, 0)' %}
enough as (

    select
        *,
        least(positives, matured_rows - positives) >= {{ setting('min_class_rows') }} as is_enough,
        coalesce(design_effect, 1) as inflation
    from {{ measured }}

),

measured as (

    select
        *,
        cast(right_positives as double) / nullif(positives, 0) as roc_auc,
        inflation * (
            {{ squared_error('right_positives', 'right_positives_squared', 'positives') }}
            + {{ squared_error('right_negatives', 'right_negatives_squared', '(matured_rows - positives)') }}
        ) as roc_auc_variance,
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

scaled as (

    select
        *,
        ln(nullif(pr_auc, 0) / nullif(1 - pr_auc, 0)) as pr_auc_logit,
        1.959963984540054 * sqrt(inflation / nullif(positives * pr_auc * (1 - pr_auc), 0)) as pr_auc_error,
        1.959963984540054 * sqrt(
            inflation * 4 * hit_share * miss_share * (hit_share + miss_share)
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
        {% for name, hits, total in shares -%}
        {% for end in ['low', 'high'] -%}
        {{ wilson_interval(hits, total, end, 'inflation') }} as {{ name }}_{{ end }},
        {% endfor -%}
        {% endfor -%}
        {{ mean_interval('squared_error', 'squared_squared_error', 'matured_rows', 'low', 'inflation') }} as brier_low,
        {{ mean_interval('squared_error', 'squared_squared_error', 'matured_rows', 'high', 'inflation') }} as brier_high
    from scaled

),

performance as (

    select
        model_name,
        model_version,
        window_start_on,
        segment,
        cast(scored_rows as bigint) as scored_rows,
        cast(matured_rows as bigint) as matured_rows,
        cast(positives as bigint) as positives,
        {% for metric in ['roc_auc', 'pr_auc', 'f1', 'precision', 'recall', 'brier', 'observed_rate'] %}
        {% for end in ['', '_low', '_high'] %}
        case when is_enough then {{ metric ~ end }} end as {{ metric ~ end }},
        {% endfor %}
        {% endfor %}
        case when is_enough then expected_rate end as expected_rate,
        estimated_roc_auc,
        estimated_f1,
        estimated_precision,
        estimated_recall,
        estimated_brier
    from bounded

)
{% endmacro %}

{# SQL: the primary metric, or another of its columns. relation: with its point; ending: of the column's name. #}
{% macro of_primary_metric(relation='', ending='') -%}
    case primary_metric
    {%- for metric in ['roc_auc', 'pr_auc', 'f1'] %} when '{{ metric }}' then {{ relation ~ metric ~ ending }}
    {%- endfor %} end
{%- endmacro %}
