select
    session_id,
    customer_id,
    session_on,
    model_name,
    model_version,
    score,
    score_decile,
    is_predicted as is_predicted_purchase,
    sample_role,
    scored_at
from {{ ref('purchase_intent_scored') }}
