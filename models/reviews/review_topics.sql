with

texts as (

    select * from {{ ref('review_texts') }}

),

in_force as (

    select model_version from {{ ref('topics_in_force') }}

),

assigned as (

    select assigned.*
    from {{ ref('review_topics_assigned') }} as assigned
    inner join in_force on assigned.model_version = in_force.model_version

)

-- While no topics were found yet, every review has the one that stands for none.
select
    texts.review_id,
    coalesce(assigned.topic_id, 0) as topic_id,
    assigned.topic_share,
    texts.content_hash,
    assigned.model_version,
    assigned.assigned_at
from texts
left join assigned on texts.content_hash = assigned.content_hash
