select
    count(*) as feature_count,
    sum(cast(weight as decimal(18, 9))) as weight_sum
from {{ ref('review_quality_weights') }}
having sum(cast(weight as decimal(18, 9))) <> 1
