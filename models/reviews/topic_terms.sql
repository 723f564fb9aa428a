select
    listed.topic_id,
    listed.rank,
    listed.term,
    listed.weight,
    listed.model_version
from {{ ref('topic_terms_listed') }} as listed
inner join {{ ref('topics_in_force') }} as in_force on listed.model_version = in_force.model_version
