{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['model_name', 'model_version', 'window_start_on'],
    on_schema_change='append_new_columns',
) }}

-- Counts and sums of each window's new rows, of all and of each segment, from which metrics follow. All of
-- whole numbers or decimals, so that the order of rows does not matter.
{% set grain = 'model_name, model_version, window_start_on, rows_hash, segment' %}

with

windows as (

    select * from {{ ref('monitored_windows') }}

),

due as (

    select windows.*
    from windows
    {{ not_counted(this) if is_incremental() }}

),

scored as (

    select
        due.model_name,
        due.model_version,
        due.window_start_on,
        due.rows_hash,
        coalesce(segments.segment, 'not known') as known_segment,
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
    where scored.sample_role = 'new'

),

placed as (

    select
        *,
        known_segment as segment
    from scored

    union all

    select
        *,
        'all rows' as segment
    from scored

),

-- Rows with one score are alike to every metric of ranks.
by_score as (

    select
        {{ grain }},
        score,
        count(*) as row_count,
        count(case when is_positive then 1 end) as positives,
        count(case when not is_positive then 1 end) as negatives,
        count(case when is_predicted then 1 end) as predicted_rows,
        count(case when is_predicted and is_positive then 1 end) as true_positives,
        count(case when is_predicted and not is_positive then 1 end) as false_positives,
        count(case when not is_predicted and is_positive then 1 end) as false_negatives
    from placed
    group by {{ grain }}, score

),

ranked as (

    select
        *,
        sum(positives) over (partition by {{ grain }}) as all_positives,
        sum(negatives) over (partition by {{ grain }}) as all_negatives,
        -- Twice the rows of the other class that are ranked right, so that a tie counts half.
        2 * coalesce(sum(negatives) over (
            partition by {{ grain }} order by score rows between unbounded preceding and 1 preceding
        ), 0) + negatives as twice_negatives_below,
        2 * coalesce(sum(positives) over (
            partition by {{ grain }} order by score desc nulls last rows between unbounded preceding and 1 preceding
        ), 0) + positives as twice_positives_above,
        sum(positives) over (partition by {{ grain }} order by score desc nulls last) as positives_from,
        sum(positives + negatives) over (partition by {{ grain }} order by score desc nulls last) as rows_from,
        -- The same of what is expected, before it is known.
        2 * coalesce(sum(row_count * (1 - score)) over (
            partition by {{ grain }} order by score rows between unbounded preceding and 1 preceding
        ), 0) + row_count * (1 - score) as twice_expected_negatives_below
    from by_score

)

select
    {{ grain }},
    sum(row_count) as scored_rows,
    sum(positives + negatives) as matured_rows,
    sum(positives) as positives,
    sum(true_positives) as true_positives,
    sum(false_positives) as false_positives,
    sum(false_negatives) as false_negatives,
    cast(sum((positives + negatives) * score) as decimal(38, 12)) as expected_positives,
    cast(sum((positives + negatives) * cast(score * (1 - score) as decimal(18, 12))) as decimal(38, 12)) as variance,
    cast(sum(
        positives * cast(power(1 - score, 2) as decimal(18, 12)) + negatives * cast(power(score, 2) as decimal(18, 12))
    ) as decimal(38, 12)) as squared_error,
    cast(sum(
        positives * cast(power(1 - score, 4) as decimal(18, 12)) + negatives * cast(power(score, 4) as decimal(18, 12))
    ) as decimal(38, 12)) as squared_squared_error,
    -- Each positive's and each negative's share of the other class that it is ranked right against (DeLong,
    -- DeLong and Clarke-Pearson, 1988), as sums and sums of squares.
    sum(cast(positives * (cast(twice_negatives_below as double) / nullif(2 * all_negatives, 0)) as decimal(38, 12)))
        as right_positives,
    sum(cast(
        positives * power(cast(twice_negatives_below as double) / nullif(2 * all_negatives, 0), 2) as decimal(38, 12)
    )) as right_positives_squared,
    sum(cast(negatives * (cast(twice_positives_above as double) / nullif(2 * all_positives, 0)) as decimal(38, 12)))
        as right_negatives,
    sum(cast(
        negatives * power(cast(twice_positives_above as double) / nullif(2 * all_positives, 0), 2) as decimal(38, 12)
    )) as right_negatives_squared,
    -- Average precision: the precision at each score, weighted by the recall that it adds.
    sum(cast(positives * (cast(positives_from as double) / nullif(rows_from, 0)) as decimal(38, 12)))
        as precision_of_positives,
    -- What the scores say of themselves, matured or not.
    cast(sum(row_count * score) as decimal(38, 12)) as estimated_positives,
    sum(predicted_rows) as predicted_rows,
    cast(sum(predicted_rows * score) as decimal(38, 12)) as estimated_true_positives,
    cast(sum(row_count * cast(score * (1 - score) as decimal(18, 12))) as decimal(38, 12)) as estimated_squared_error,
    sum(cast(row_count * score * twice_expected_negatives_below / 2 as decimal(38, 12))) as estimated_right_pairs
from ranked
group by {{ grain }}
