select
    model_name,
    model_version,
    entity_id,
    as_of_on,
    rank,
    feature,
    feature_value,
    contribution
from {{ ref('purchase_intent_explanations') }}
