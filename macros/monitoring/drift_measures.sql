{#
  How far the rows of a window lie from the reference, from counts per bin: CTEs, the last of which,
  `drift`, has one row for each `grain`.

  - psi: population stability index, the sum of (q - p) ln(q / p) over shares p of the reference and q of
    the window. Half a row is added to each bin, so that an empty one has no infinite weight.
  - psi_threshold: under no drift PSI is near a chi-squared variable of bins - 1 degrees of freedom times
    1 / reference rows + 1 / rows (Yurdakul, Statistical properties of the population stability index,
    2018). Its quantile at the setting drift_normal_deviate is Wilson and Hilferty's (1931).
  - jensen_shannon: divergence to base 2, 0 to 1.
  - wasserstein: of numbers, in their unit: the area between the two cumulated shares, each bin at the mean
    that it has in the reference. What moves within a bin is not seen.
  - brier_change: by how much the mean squared error changes if each bin keeps the error that it had on the
    test rows and only its share changes: what the drift of this column costs by itself. Its 95 % interval is that
    of the shares, by the normal approximation.

  Rows that are alike are no evidence of their own: thresholds and intervals are of effective rows, which are
  rows over the design effect (Kish, Survey Sampling, 1965).

  binned: a CTE with the columns of `grain`, bin, mean_value, reference_rows, current_rows, test_rows,
    test_squared_error, reference_design_effect, current_design_effect; a bin of missing values has the
    number -1.
#}
{% macro drift_measures(binned, grain) %}
{% set of_column = 'partition by ' ~ grain | join(', ') %}
drift_totals as (

    select
        *,
        sum(reference_rows) over ({{ of_column }}) as reference_total,
        sum(current_rows) over ({{ of_column }}) as current_total,
        sum(case when bin >= 0 then reference_rows end) over ({{ of_column }}) as reference_known,
        sum(case when bin >= 0 then current_rows end) over ({{ of_column }}) as current_known,
        count(case when reference_rows + current_rows > 0 then 1 end) over ({{ of_column }}) as bin_count,
        sum(test_squared_error) over ({{ of_column }})
        / nullif(sum(test_rows) over ({{ of_column }}), 0) as mean_squared_error
    from {{ binned }}

),

drift_shares as (

    select
        *,
        cast((reference_rows + 0.5e0) / (reference_total + 0.5e0 * bin_count) as double) as reference_share,
        cast((current_rows + 0.5e0) / (current_total + 0.5e0 * bin_count) as double) as current_share,
        case when bin >= 0 then
            cast(current_rows as double) / nullif(current_known, 0)
            - cast(reference_rows as double) / nullif(reference_known, 0)
        end as share_gap,
        -- A bin of few test rows has its error from all of them.
        (test_squared_error + {{ shrinkage_rows() }} * mean_squared_error)
        / (test_rows + {{ shrinkage_rows() }}) as bin_squared_error
    from drift_totals
    where reference_rows + current_rows > 0

),

drift_steps as (

    select
        *,
        abs(sum(share_gap) over ({{ of_column }} order by bin)) as cumulated_gap,
        lead(mean_value) over ({{ of_column }} order by bin) - mean_value as step,
        cast((reference_share + current_share) / 2 as double) as middle_share
    from drift_shares

),

drift_sums as (

    select
        {{ grain | join(',\n        ') }},
        max(reference_total) as reference_rows,
        max(current_total) as current_rows,
        max(reference_total / reference_design_effect) as reference_effective,
        max(current_total / current_design_effect) as current_effective,
        max(bin_count) - 1 as degrees,
        cast(sum(case when bin = -1 then reference_rows else 0 end) as double)
        / nullif(max(reference_total), 0) as reference_missing_share,
        cast(sum(case when bin = -1 then current_rows else 0 end) as double)
        / nullif(max(current_total), 0) as missing_share,
        sum((current_share - reference_share) * ln(current_share / reference_share)) as psi,
        sum(
            reference_share * ln(reference_share / middle_share) + current_share * ln(current_share / middle_share)
        ) / 2 / ln(2e0) as jensen_shannon,
        sum(case when bin >= 0 then cumulated_gap * step end) as wasserstein,
        sum((current_share - reference_share) * bin_squared_error) as brier_change,
        (sum(reference_share * power(bin_squared_error, 2)) - power(sum(reference_share * bin_squared_error), 2))
        / nullif(max(reference_total / reference_design_effect), 0)
        + (sum(current_share * power(bin_squared_error, 2)) - power(sum(current_share * bin_squared_error), 2))
        / nullif(max(current_total / current_design_effect), 0) as brier_change_variance
    from drift_steps
    group by {{ grain | join(', ') }}

),

drift as (

    select
        *,
        brier_change - 1.959963984540054 * sqrt(greatest(brier_change_variance, 0)) as brier_change_low,
        brier_change + 1.959963984540054 * sqrt(greatest(brier_change_variance, 0)) as brier_change_high,
        case
            when degrees > 0 and current_rows > 0 and reference_rows > 0
                then
                    degrees * power(
                        1 - 2e0 / (9 * degrees) + {{ setting('drift_normal_deviate') }} * sqrt(2e0 / (9 * degrees)), 3
                    ) * (1e0 / reference_effective + 1e0 / current_effective)
        end as psi_threshold
    from drift_sums

)
{% endmacro %}

{# Test rows that the mean of all weighs as much as, in a bin's mean. #}
{% macro shrinkage_rows() -%}20{%- endmacro %}
