select
    model_name,
    model_version
from {{ ref('model_runs') }}
where is_champion
qualify row_number() over (partition by model_name order by decision_number desc nulls last) = 1
