with

champions as (

    select distinct
        model_name,
        model_version
    from {{ ref('model_runs') }}
    where is_champion

),

trained as (

    select
        model_name,
        model_version
    from {{ ref('model_runs') }}
    where artifact_sha256 is not null

)

select
    champions.model_name,
    champions.model_version,
    count(trained.model_version) as trained_times
from champions
left join trained
    on champions.model_name = trained.model_name and champions.model_version = trained.model_version
group by champions.model_name, champions.model_version
having count(trained.model_version) <> 1
