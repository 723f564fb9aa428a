-- What each version scored after what it learned from, by window, with a fingerprint that
-- tells whether a window has changed: a closed one is not computed again.
{% set text, grain = api.Column.translate_type('string'), 'task_name, model_name, model_version, window_start_on' %}
-- Visitors and customers come again, and candidates are alike in two ways.
{% set alike = [
    ('scored_rows', 'subject_id'), ('scored_candidates', 'entity_id'), ('scored_candidates', 'product_id'),
] %}

with

scored_rows as (

    select
        scored.task_name,
        scored.model_name,
        scored.model_version,
        {{ window_start('scored.as_of_on') }} as window_start_on,
        scored.subject_id,
        case when scored.sample_role = 'new' then 1 else 0 end as is_judged,
        case
            when scored.sample_role = 'new' and scored.is_positive is not null
                then case when scored.is_positive then 1 else 0 end - scored.score
        end as error,
        hash(
            scored.entity_id,
            scored.as_of_on,
            scored.features_hash,
            scored.sample_role,
            scored.is_positive,
            segments.segment
        ) as row_hash
    from {{ ref('scored_rows') }} as scored
    left join {{ ref('scored_segments') }} as segments
        on
            scored.task_name = segments.task_name
            and scored.entity_id = segments.entity_id
            and scored.as_of_on = segments.as_of_on
    where scored.sample_role in ('validation', 'test', 'new')

),

scored_candidates as (

    select
        *,
        {{ window_start('as_of_on') }} as window_start_on,
        0 as is_judged,
        cast(null as double) as error,
        hash(entity_id, product_id, as_of_on, features_hash, sample_role, is_positive) as row_hash
    from {{ ref('scored_candidates') }}
    where sample_role in ('validation', 'test', 'new')

),

alike as (

    {% for relation, column in alike %}
    select
        {{ grain }},
        '{{ column }}' as alike_in,
        count(*) as row_count,
        sum(is_judged) as judged_rows,
        count(error) as errors,
        sum(error) as error_sum,
        sum(error * error) as squared_errors,
        sum(row_hash) as hash_sum
    from {{ relation }}
    group by {{ grain }}, {{ column }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        {{ grain }},
        sum(row_count) as scored_rows,
        sum(judged_rows) as judged_rows,
        -- As if all that are alike were copies (Kish, Survey Sampling, 1965).
        floor(cast(sum(row_count) as double) * sum(row_count) / sum(row_count * row_count)) as effective_rows,
        -- About their mean, the squares of what those that are alike err by together, and of what each does.
        sum(error_sum * error_sum)
        - 2 * sum(error_sum) / nullif(sum(errors), 0) * sum(error_sum * errors)
        + power(sum(error_sum) / nullif(sum(errors), 0), 2) * sum(errors * errors) as squares_together,
        sum(squared_errors) - power(sum(error_sum), 2) / nullif(sum(errors), 0) as squares_apart,
        sum(squared_errors) as squares,
        -- Of whole numbers, so that the order of rows does not matter.
        sum(hash_sum) as rows_hash
    from alike
    group by {{ grain }}, alike_in

)

select
    {{ grain }},
    cast(max(scored_rows) as bigint) as scored_rows,
    cast(max(judged_rows) as bigint) as judged_rows,
    cast(min(effective_rows) as bigint) as effective_rows,
    -- Rao and Scott, On chi-squared tests for multiway contingency tables, Annals of Statistics, 1984.
    -- Errors that differ by rounding alone do not differ.
    greatest(
        coalesce(max(case when squares_apart > 1e-9 * squares then squares_together / squares_apart end), 1), 1
    ) as error_design_effect,
    cast(max(rows_hash) as {{ text }}) as rows_hash
from counted
group by {{ grain }}
