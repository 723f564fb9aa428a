with

serving as (

    select
        model_name,
        model_version
    from {{ ref('model_runs') }}
    where is_champion
    qualify row_number() over (partition by model_name order by decision_number desc nulls last) = 1

)

select
    scores.session_id,
    scores.model_name,
    scores.model_version,
    scores.score_decile
from {{ ref('purchase_intent_scores') }} as scores
inner join serving
    on scores.model_name = serving.model_name and scores.model_version = serving.model_version
-- A session that is not accepted any more keeps its score and cannot be explained.
inner join {{ ref('session_features') }} as features on scores.session_id = features.session_id
left join {{ ref('score_explanations') }} as explanations
    on
        scores.session_id = explanations.entity_id
        and scores.model_name = explanations.model_name
        and scores.model_version = explanations.model_version
where
    scores.score_decile >= {{ setting('explain_min_decile') }}
    and explanations.entity_id is null
