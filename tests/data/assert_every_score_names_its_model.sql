with

champions as (

    select distinct
        model_name,
        model_version
    from {{ ref('model_runs') }}
    where is_champion

)

select
    scores.model_name,
    scores.model_version,
    count(*) as scores
from {{ ref('scored_rows') }} as scores
left join champions
    on scores.model_name = champions.model_name and scores.model_version = champions.model_version
where champions.model_version is null
group by scores.model_name, scores.model_version
