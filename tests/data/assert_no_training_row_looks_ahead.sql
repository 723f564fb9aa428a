-- The label window of a session starts with the session.
select
    session_id,
    split,
    history_until_at,
    started_at
from {{ ref('purchase_intent_training_set') }}
where history_until_at >= started_at
