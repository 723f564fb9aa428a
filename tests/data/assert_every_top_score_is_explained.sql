with

serving as (

    select * from {{ ref('serving_versions') }}

)

select
    scores.entity_id,
    scores.as_of_on,
    scores.model_name,
    scores.model_version,
    scores.score_decile
from {{ ref('scored_rows') }} as scores
inner join serving
    on scores.model_name = serving.model_name and scores.model_version = serving.model_version
left join {{ ref('score_explanations') }} as explanations
    on
        scores.entity_id = explanations.entity_id
        and scores.as_of_on = explanations.as_of_on
        and scores.model_name = explanations.model_name
        and scores.model_version = explanations.model_version
where
    -- What is not accepted any more keeps its score and cannot be explained.
    scores.has_features
    and scores.score_decile >= {{ setting('explain_min_decile') }}
    and explanations.entity_id is null
