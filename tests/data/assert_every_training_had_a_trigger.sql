with

trained as (

    select * from {{ ref('model_runs') }}
    where artifact_sha256 is not null

),

fired as (

    select
        model_name,
        decision_number,
        count(*) as fired_triggers
    from {{ ref('retraining_triggers') }}
    where is_fired
    group by model_name, decision_number

)

select
    trained.model_run_id,
    trained.decision,
    trained.reason,
    trained.triggers
from trained
left join fired on trained.model_name = fired.model_name and trained.decision_number = fired.decision_number
where fired.fired_triggers is null
