-- The label window of a session starts with the session, that of a customer at the as-of date.
select
    'purchase_intent' as task_name,
    session_id as entity_id,
    split,
    history_until_at,
    started_at as label_window_from_at
from {{ ref('purchase_intent_training_set') }}
where history_until_at >= started_at

union all

select
    'churn' as task_name,
    customer_id as entity_id,
    split,
    history_until_at,
    cast(as_of_on as timestamp) as label_window_from_at
from {{ ref('churn_training_set') }}
where history_until_at >= cast(as_of_on as timestamp)

union all

select
    'product_recommendations' as task_name,
    customer_id as entity_id,
    split,
    history_until_at,
    cast(as_of_on as timestamp) as label_window_from_at
from {{ ref('product_recommendations_training_set') }}
where history_until_at >= cast(as_of_on as timestamp)
