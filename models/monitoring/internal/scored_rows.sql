-- Every task's scores in one shape, each beside what came of it.
select
    'purchase_intent' as task_name,
    scores.model_name,
    scores.model_version,
    scores.session_id as entity_id,
    scores.session_on as as_of_on,
    scores.score,
    scores.score_decile,
    scores.is_predicted_purchase as is_predicted,
    scores.sample_role,
    labels.is_purchase as is_positive,
    labels.matured_on,
    features.features_hash,
    features.session_id is not null as has_features
from {{ ref('purchase_intent_scores') }} as scores
left join {{ ref('session_labels') }} as labels on scores.session_id = labels.session_id
left join {{ ref('session_features') }} as features on scores.session_id = features.session_id

union all

select
    'churn' as task_name,
    scores.model_name,
    scores.model_version,
    scores.customer_id as entity_id,
    scores.as_of_on,
    scores.score,
    scores.score_decile,
    scores.is_predicted_churn as is_predicted,
    scores.sample_role,
    labels.is_churned as is_positive,
    labels.matured_on,
    features.features_hash,
    features.customer_id is not null as has_features
from {{ ref('churn_scores') }} as scores
left join {{ ref('churn_labels') }} as labels
    on scores.customer_id = labels.customer_id and scores.as_of_on = labels.as_of_on
left join {{ ref('churn_population') }} as features
    on scores.customer_id = features.customer_id and scores.as_of_on = features.as_of_on
