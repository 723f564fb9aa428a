{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['model_name', 'model_version', 'window_start_on'],
    on_schema_change='append_new_columns',
) }}

-- Counts and sums of each window's new rows, of all and of each segment, from which metrics follow. All of
-- whole numbers or decimals, so that the order of rows does not matter.
{% set windows, counted = ref('monitored_windows'), this if is_incremental() else none %}
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
        cast(scored.score as decimal(18, 12)) as score
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

-- Rows with one score are alike to every metric of ranks.
segments_by_score as (

    select
        window_number,
        segment,
        score,
        count(*) as row_count,
        count(case when is_positive then 1 end) as positives,
        count(case when not is_positive then 1 end) as negatives,
        count(case when is_predicted then 1 end) as predicted_rows,
        count(case when is_predicted and is_positive then 1 end) as true_positives,
        count(case when is_predicted and not is_positive then 1 end) as false_positives,
        count(case when not is_predicted and is_positive then 1 end) as false_negatives
    from scored
    group by window_number, segment, score

),

by_score as (

    select
        window_number,
        segment,
        score,
        row_count,
        positives,
        negatives,
        predicted_rows,
        true_positives,
        false_positives,
        false_negatives
    from segments_by_score

    union all

    select
        window_number,
        'all rows' as segment,
        score,
        cast(sum(row_count) as bigint) as row_count,
        cast(sum(positives) as bigint) as positives,
        cast(sum(negatives) as bigint) as negatives,
        cast(sum(predicted_rows) as bigint) as predicted_rows,
        cast(sum(true_positives) as bigint) as true_positives,
        cast(sum(false_positives) as bigint) as false_positives,
        cast(sum(false_negatives) as bigint) as false_negatives
    from segments_by_score
    group by window_number, score

),

totals as (

    select
        window_number,
        segment,
        cast(sum(positives) as double) as all_positives,
        cast(sum(negatives) as double) as all_negatives
    from by_score
    group by window_number, segment

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
        sum(cast(row_count * (1 - score) as double)) over (
            partition by window_number, segment order by score rows between unbounded preceding and current row
        ) as expected_negatives_upto
    from by_score

),

ranked as (

    select
        cumulated.*,
        totals.all_positives,
        totals.all_negatives,
        -- Twice the rows of the other class that are ranked right, so that a tie counts half.
        2 * cumulated.negatives_upto - cumulated.negatives as twice_negatives_below,
        2 * (totals.all_positives - cumulated.positives_upto) + cumulated.positives as twice_positives_above,
        totals.all_positives - cumulated.positives_upto + cumulated.positives as positives_from,
        totals.all_positives - cumulated.positives_upto + cumulated.positives
        + totals.all_negatives - cumulated.negatives_upto + cumulated.negatives as rows_from,
        -- The same of what is expected, before it is known.
        2 * cumulated.expected_negatives_upto
        - cumulated.row_count * (1 - cumulated.score) as twice_expected_negatives_below
    from cumulated
    inner join totals
        on cumulated.window_number = totals.window_number and cumulated.segment = totals.segment

),

measured as (

    select
        window_number,
        segment,
        sum(row_count) as scored_rows,
        sum(positives + negatives) as matured_rows,
        sum(positives) as positives,
        sum(true_positives) as true_positives,
        sum(false_positives) as false_positives,
        sum(false_negatives) as false_negatives,
        cast(sum((positives + negatives) * score) as decimal(38, 12)) as expected_positives,
        cast(
            sum((positives + negatives) * cast(score * (1 - score) as decimal(18, 12))) as decimal(38, 12)
        ) as variance,
        cast(sum(
            positives * cast(power(1 - score, 2) as decimal(18, 12))
            + negatives * cast(power(score, 2) as decimal(18, 12))
        ) as decimal(38, 12)) as squared_error,
        cast(sum(
            positives * cast(power(1 - score, 4) as decimal(18, 12))
            + negatives * cast(power(score, 4) as decimal(18, 12))
        ) as decimal(38, 12)) as squared_squared_error,
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
        -- What the scores say of themselves, matured or not.
        cast(sum(row_count * score) as decimal(38, 12)) as estimated_positives,
        sum(predicted_rows) as predicted_rows,
        cast(sum(predicted_rows * score) as decimal(38, 12)) as estimated_true_positives,
        cast(
            sum(row_count * cast(score * (1 - score) as decimal(18, 12))) as decimal(38, 12)
        ) as estimated_squared_error,
        sum(cast(row_count * score * twice_expected_negatives_below / 2 as decimal(38, 12))) as estimated_right_pairs
    from ranked
    group by window_number, segment

)

select
    due.model_name,
    due.model_version,
    due.window_start_on,
    due.rows_hash,
    measured.segment,
    measured.scored_rows,
    measured.matured_rows,
    measured.positives,
    measured.true_positives,
    measured.false_positives,
    measured.false_negatives,
    measured.expected_positives,
    measured.variance,
    measured.squared_error,
    measured.squared_squared_error,
    measured.right_positives,
    measured.right_positives_squared,
    measured.right_negatives,
    measured.right_negatives_squared,
    measured.precision_of_positives,
    measured.estimated_positives,
    measured.predicted_rows,
    measured.estimated_true_positives,
    measured.estimated_squared_error,
    measured.estimated_right_pairs
from measured
inner join due on measured.window_number = due.window_number
