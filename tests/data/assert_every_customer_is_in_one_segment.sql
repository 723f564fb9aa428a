select
    features.customer_id,
    features.as_of_on,
    count(segments.segment) as segments
from {{ ref('customer_features') }} as features
left join {{ ref('customer_segments') }} as segments
    on
        features.customer_id = segments.customer_id
        and features.as_of_on = segments.as_of_on
group by features.customer_id, features.as_of_on
having count(segments.segment) <> 1
