{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['model_name', 'model_version', 'window_start_on'],
    on_schema_change='append_new_columns',
) }}

-- Counts and sums of each window's new rows, of all and of each segment, from which metrics follow. All of
-- whole numbers or decimals, so that the order of rows does not matter.
{% set windows, counted = ref('monitored_windows'), this if is_incremental() else none %}
{% set sums = [
    'scored_rows', 'matured_rows', 'positives', 'true_positives', 'false_positives', 'false_negatives',
    'expected_positives', 'variance', 'squared_error', 'squared_squared_error', 'estimated_positives',
    'predicted_rows', 'estimated_true_positives', 'estimated_squared_error',
] %}
{% set is_due = is_from_due('scored.as_of_on', windows, counted, 'windows.judged_rows > 0') %}

with

-- A number stands for a window: what a million rows are grouped and ordered by should be short.
due as (

    select
        *,
        row_number() over (order by model_name, model_version, window_start_on) as window_number
    from {{ windows }} as windows
    where windows.judged_rows > 0 {{ 'and ' ~ is_not_counted(counted) if counted }}

),

scored as (

    select
        due.window_number,
        coalesce(segments.segment, 'not known') as segment,
        scored.is_predicted,
        scored.is_positive,
        scored.score,
        -- Rounded, so that scores that differ in their last bits tie on every engine.
        cast(scored.score as decimal(18, 12)) as rounded_score,
        case when scored.is_positive then 1 - scored.score else scored.score end as absolute_error
    from {{ ref('scored_rows') }} as scored
    inner join due
        on
            scored.model_name = due.model_name
            and scored.model_version = due.model_version
            and {{ window_start('scored.as_of_on') }} = due.window_start_on
    left join {{ ref('scored_segments') }} as segments
        on
            scored.task_name = segments.task_name
            and scored.entity_id = segments.entity_id
            and scored.as_of_on = segments.as_of_on
    where scored.sample_role = 'new' and {{ is_due }}

),

-- What no rank is needed for. Each addend is computed as a double and rounded once: decimals of this length
-- multiply at a tenth of the speed.
summed_segments as (

    select
        window_number,
        segment,
        count(*) as scored_rows,
        count(is_positive) as matured_rows,
        count(case when is_positive then 1 end) as positives,
        count(case when is_predicted and is_positive then 1 end) as true_positives,
        count(case when is_predicted and not is_positive then 1 end) as false_positives,
        count(case when not is_predicted and is_positive then 1 end) as false_negatives,
        sum(case when is_positive is not null then rounded_score else 0 end) as expected_positives,
        sum(
            case when is_positive is not null then cast(score * (1 - score) as decimal(18, 12)) else 0 end
        ) as variance,
        sum(
            case when is_positive is not null then cast(power(absolute_error, 2) as decimal(18, 12)) else 0 end
        ) as squared_error,
        sum(
            case when is_positive is not null then cast(power(absolute_error, 4) as decimal(18, 12)) else 0 end
        ) as squared_squared_error,
        -- What the scores say of themselves, matured or not.
        sum(rounded_score) as estimated_positives,
        count(case when is_predicted then 1 end) as predicted_rows,
        sum(case when is_predicted then rounded_score else 0 end) as estimated_true_positives,
        sum(cast(score * (1 - score) as decimal(18, 12))) as estimated_squared_error
    from scored
    group by window_number, segment

),

summed as (

    select
        window_number,
        {% for name in sums -%}
        {{ name }},
        {% endfor -%}
        segment
    from summed_segments

    union all

    select
        window_number,
        {% for name in sums -%}
        sum({{ name }}) as {{ name }},
        {% endfor -%}
        'all rows' as segment
    from summed_segments
    group by window_number

),

-- Rows with one score are alike to every metric of ranks.
segments_by_score as (

    select
        window_number,
        segment,
        rounded_score,
        count(*) as row_count,
        count(case when is_positive then 1 end) as positives,
        count(case when not is_positive then 1 end) as negatives
    from scored
    group by window_number, segment, rounded_score

),

by_score as (

    select
        window_number,
        segment,
        cast(rounded_score as double) as score,
        row_count,
        positives,
        negatives
    from segments_by_score

    union all

    select
        window_number,
        'all rows' as segment,
        cast(rounded_score as double) as score,
        cast(sum(row_count) as bigint) as row_count,
        cast(sum(positives) as bigint) as positives,
        cast(sum(negatives) as bigint) as negatives
    from segments_by_score
    group by window_number, rounded_score

),

-- Sums in an order are what costs time here. So there is one order only, what lies above is all less what
-- lies below, and the sums are of doubles, which hold counts exactly and are added up three times as fast.
cumulated as (

    select
        *,
        sum(cast(positives as double)) over (
            partition by window_number, segment order by score rows between unbounded preceding and current row
        ) as positives_upto,
        sum(cast(negatives as double)) over (
            partition by window_number, segment order by score rows between unbounded preceding and current row
        ) as negatives_upto,
        sum(row_count * (1 - score)) over (
            partition by window_number, segment order by score rows between unbounded preceding and current row
        ) as expected_negatives_upto
    from by_score

),

ranked as (

    select
        cumulated.window_number,
        cumulated.segment,
        cumulated.score,
        cumulated.row_count,
        cumulated.positives,
        cumulated.negatives,
        cast(summed.positives as double) as all_positives,
        cast(summed.matured_rows - summed.positives as double) as all_negatives,
        -- Twice the rows of the other class that are ranked right, so that a tie counts half.
        2 * cumulated.negatives_upto - cumulated.negatives as twice_negatives_below,
        2 * (summed.positives - cumulated.positives_upto) + cumulated.positives as twice_positives_above,
        summed.positives - cumulated.positives_upto + cumulated.positives as positives_from,
        summed.matured_rows - cumulated.positives_upto - cumulated.negatives_upto
        + cumulated.positives + cumulated.negatives as rows_from,
        -- The same of what is expected, before it is known.
        2 * cumulated.expected_negatives_upto
        - cumulated.row_count * (1 - cumulated.score) as twice_expected_negatives_below
    from cumulated
    inner join summed
        on cumulated.window_number = summed.window_number and cumulated.segment = summed.segment

),

measured as (

    select
        window_number,
        segment,
        -- Each positive's and each negative's share of the other class that it is ranked right against (DeLong,
        -- DeLong and Clarke-Pearson, 1988), as sums and sums of squares.
        sum(
            cast(positives * (twice_negatives_below / nullif(2 * all_negatives, 0)) as decimal(38, 12))
        ) as right_positives,
        sum(cast(
            positives * power(twice_negatives_below / nullif(2 * all_negatives, 0), 2)
            as decimal(38, 12)
        )) as right_positives_squared,
        sum(
            cast(negatives * (twice_positives_above / nullif(2 * all_positives, 0)) as decimal(38, 12))
        ) as right_negatives,
        sum(cast(
            negatives * power(twice_positives_above / nullif(2 * all_positives, 0), 2)
            as decimal(38, 12)
        )) as right_negatives_squared,
        -- Average precision: the precision at each score, weighted by the recall that it adds.
        sum(cast(positives * (positives_from / nullif(rows_from, 0)) as decimal(38, 12)))
            as precision_of_positives,
        sum(cast(row_count * score * twice_expected_negatives_below / 2 as decimal(38, 12))) as estimated_right_pairs
    from ranked
    group by window_number, segment

)

select
    due.model_name,
    due.model_version,
    due.window_start_on,
    due.rows_hash,
    due.error_design_effect as design_effect,
    summed.segment,
    summed.scored_rows,
    summed.matured_rows,
    summed.positives,
    summed.true_positives,
    summed.false_positives,
    summed.false_negatives,
    summed.expected_positives,
    summed.variance,
    summed.squared_error,
    summed.squared_squared_error,
    measured.right_positives,
    measured.right_positives_squared,
    measured.right_negatives,
    measured.right_negatives_squared,
    measured.precision_of_positives,
    summed.estimated_positives,
    summed.predicted_rows,
    summed.estimated_true_positives,
    summed.estimated_squared_error,
    measured.estimated_right_pairs
from summed
inner join measured
    on summed.window_number = measured.window_number and summed.segment = measured.segment
inner join due on summed.window_number = due.window_number
