{{ config(materialized='view') }}

-- Scores of the serving version, and of these very features only.
select
    candidates.*,
    scored.model_version,
    scored.score,
    scored.sample_role
from {{ ref('product_candidates_to_score') }} as candidates
left join {{ ref('recommendation_serving_version') }} as serving on true
left join {{ ref('product_recommendations_scored') }} as scored
    on
        serving.model_version = scored.model_version
        and candidates.customer_id = scored.customer_id
        and candidates.as_of_on = scored.as_of_on
        and candidates.product_id = scored.product_id
        and candidates.features_hash = scored.features_hash
