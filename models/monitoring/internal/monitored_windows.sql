-- What each version scored after what it learned from, by window, with a fingerprint that
-- tells whether a window has changed: a closed one is not computed again.
{% set text = api.Column.translate_type('string') %}
-- Customers come again on the next as-of date, and so do candidates; any other row is a row of its own.
{% set arms = [
    {'from': 'scored_rows', 'rows': "task_name <> 'churn'", 'effective_rows': 'count(*)'},
    {'from': 'scored_rows', 'rows': "task_name = 'churn'", 'effective_rows': 'count(distinct entity_id)'},
    {
        'from': 'scored_candidates',
        'rows': 'true',
        'effective_rows': 'least(count(distinct entity_id), count(distinct product_id))',
    },
] %}

with

scored_rows as (

    select
        scored.task_name,
        scored.model_name,
        scored.model_version,
        scored.entity_id,
        scored.as_of_on,
        scored.sample_role,
        scored.sample_role = 'new' as is_judged,
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

),

scored_candidates as (

    select
        *,
        false as is_judged,
        hash(entity_id, product_id, as_of_on, features_hash, sample_role, is_positive) as row_hash
    from {{ ref('scored_candidates') }}

)

{% for arm in arms %}
select
    task_name,
    model_name,
    model_version,
    {{ window_start('as_of_on') }} as window_start_on,
    count(*) as scored_rows,
    count(case when is_judged then 1 end) as judged_rows,
    {{ arm.effective_rows }} as effective_rows,
    -- Of whole numbers, so that the order of rows does not matter.
    cast(sum(row_hash) as {{ text }}) as rows_hash
from {{ arm['from'] }}
where {{ arm.rows }} and sample_role in ('validation', 'test', 'new')
group by
    task_name,
    model_name,
    model_version,
    {{ window_start('as_of_on') }}
{{ 'union all' if not loop.last }}
{% endfor %}
