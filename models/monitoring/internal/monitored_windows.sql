-- What each version scored after what it learned from, by window, with a fingerprint that
-- tells whether a window has changed: a closed one is not computed again.
with

scored as (

    select
        scored.*,
        segments.segment
    from {{ ref('scored_rows') }} as scored
    left join {{ ref('scored_segments') }} as segments
        on
            scored.task_name = segments.task_name
            and scored.entity_id = segments.entity_id
            and scored.as_of_on = segments.as_of_on
    where scored.sample_role in ('validation', 'test', 'new')

)

select
    task_name,
    model_name,
    model_version,
    {{ window_start('as_of_on') }} as window_start_on,
    count(*) as scored_rows,
    count(case when sample_role = 'new' then 1 end) as new_rows,
    -- Of whole numbers, so that the order of rows does not matter.
    cast(
        sum(hash(entity_id, as_of_on, features_hash, sample_role, is_positive, segment))
        as {{ api.Column.translate_type('string') }}
    ) as rows_hash
from scored
group by
    task_name,
    model_name,
    model_version,
    {{ window_start('as_of_on') }}
