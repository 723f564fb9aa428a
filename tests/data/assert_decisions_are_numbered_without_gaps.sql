select
    model_name,
    count(*) as decisions,
    min(decision_number) as first_number,
    max(decision_number) as last_number
from {{ ref('model_runs') }}
group by model_name
having min(decision_number) <> 1 or max(decision_number) <> count(*)
