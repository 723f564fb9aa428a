with

erased as (

    select
        training_rows.model_name,
        training_rows.model_version,
        training_rows.training_set_hash,
        count(*) as erasure_count,
        max(erasures.erased_at) as newest_erased_at
    from {{ ref('erased_training_rows') }} as training_rows
    inner join {{ ref('erasures') }} as erasures on training_rows.erasure_id = erasures.erasure_id
    group by training_rows.model_name, training_rows.model_version, training_rows.training_set_hash

),

serving as (

    select
        model_name,
        model_version
    from {{ ref('serving_versions') }}
    union
    select
        'topics' as model_name,
        model_version
    from {{ ref('topics') }}
    where model_version is not null

)

select
    erased.model_name,
    erased.model_version,
    erased.training_set_hash,
    cast(erased.erasure_count as bigint) as erasure_count,
    erased.newest_erased_at,
    serving.model_version is not null as is_serving
from erased
left join serving on erased.model_name = serving.model_name and erased.model_version = serving.model_version
