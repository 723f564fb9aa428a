select
    model_name,
    model_version,
    count(*) as scores,
    min(score) as lowest_score,
    max(score) as highest_score
from {{ ref('scored_rows') }}
group by model_name, model_version
having count(*) > 1 and min(score) = max(score)
