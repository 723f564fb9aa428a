{{ config(materialized='view') }}

-- Only explanations of the score in force: a session whose features changed since may have left the
-- top decile, and its old explanation with it.
select explained.*
from {{ ref('purchase_intent_explained') }} as explained
inner join {{ ref('purchase_intent_scored') }} as scored
    on
        explained.entity_id = scored.session_id
        and explained.model_name = scored.model_name
        and explained.model_version = scored.model_version
        and explained.features_hash = scored.features_hash
