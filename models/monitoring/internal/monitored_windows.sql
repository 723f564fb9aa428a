-- What each version scored after what it learned from, by window, with a fingerprint that
-- tells whether a window has changed: a closed one is not computed again.
{% set text = api.Column.translate_type('string') %}

with

scored as (

    select
        scored.task_name,
        scored.model_name,
        scored.model_version,
        scored.as_of_on,
        scored.sample_role,
        hash(
            scored.entity_id,
            scored.as_of_on,
            scored.features_hash,
            scored.sample_role,
            scored.is_positive,
            segments.segment
        ) as row_hash,
        true as is_judged,
        -- Customers come again on the next as-of date; any other row is a row of its own.
        case when scored.task_name = 'churn' then scored.entity_id end as customer_id,
        cast(null as {{ text }}) as product_id
    from {{ ref('scored_rows') }} as scored
    left join {{ ref('scored_segments') }} as segments
        on
            scored.task_name = segments.task_name
            and scored.entity_id = segments.entity_id
            and scored.as_of_on = segments.as_of_on

    union all

    select
        task_name,
        model_name,
        model_version,
        as_of_on,
        sample_role,
        hash(entity_id, product_id, as_of_on, features_hash, sample_role, is_positive) as row_hash,
        false as is_judged,
        entity_id as customer_id,
        product_id
    from {{ ref('scored_candidates') }}

)

select
    task_name,
    model_name,
    model_version,
    {{ window_start('as_of_on') }} as window_start_on,
    count(*) as scored_rows,
    count(case when sample_role = 'new' and is_judged then 1 end) as judged_rows,
    least(
        count(*),
        coalesce(nullif(count(distinct customer_id), 0), count(*)),
        coalesce(nullif(count(distinct product_id), 0), count(*))
    ) as effective_rows,
    -- Of whole numbers, so that the order of rows does not matter.
    cast(sum(row_hash) as {{ text }}) as rows_hash
from scored
where sample_role in ('validation', 'test', 'new')
group by
    task_name,
    model_name,
    model_version,
    {{ window_start('as_of_on') }}
