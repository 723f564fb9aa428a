{{ config(materialized='view') }}

-- Only explanations of the score in force, as in purchase_intent_explanations.
select explained.*
from {{ ref('churn_explained') }} as explained
inner join {{ ref('churn_scored') }} as scored
    on
        explained.entity_id = scored.customer_id
        and explained.as_of_on = scored.as_of_on
        and explained.model_name = scored.model_name
        and explained.model_version = scored.model_version
        and explained.features_hash = scored.features_hash
