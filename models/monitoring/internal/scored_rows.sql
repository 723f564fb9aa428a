-- Every task's scores in one shape, each beside what came of it.
{% if is_sentiment_monitored() %}
with

sentiment_versions as (

    select
        model_version,
        test_from_on,
        test_to_on,
        threshold
    from {{ ref('review_sentiment_trained') }}
    where decision = 'trained_promoted'
    qualify row_number() over (partition by model_version order by decision_number desc nulls last) = 1

)

{% endif %}
select
    'purchase_intent' as task_name,
    scores.model_name,
    scores.model_version,
    scores.session_id as entity_id,
    coalesce(features.visitor_id, scores.session_id) as subject_id,
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
    scores.customer_id as subject_id,
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
{% if is_sentiment_monitored() %}

union all

select
    'review_sentiment' as task_name,
    'review_sentiment' as model_name,
    scores.model_version,
    examples.review_id as entity_id,
    examples.review_id as subject_id,
    examples.created_on as as_of_on,
    scores.positive_score as score,
    -- Its versions have no cut points.
    cast(null as integer) as score_decile,
    scores.positive_score >= versions.threshold as is_predicted,
    case when examples.created_on > versions.test_to_on then 'new' else 'test' end as sample_role,
    examples.is_positive,
    examples.created_on as matured_on,
    scores.content_hash as features_hash,
    true as has_features
from {{ ref('review_sentiment_examples') }} as examples
inner join {{ ref('review_sentiment_predicted') }} as scores on examples.content_hash = scores.content_hash
-- Models of the history never served. A copy that came in late may be older than what the model of its text knew.
inner join sentiment_versions as versions
    on scores.model_version = versions.model_version and examples.created_on >= versions.test_from_on
-- A text counts once, and stars between positive and negative answer nothing.
where examples.is_first_copy and examples.is_positive is not null and scores.positive_score is not null
{% endif %}
