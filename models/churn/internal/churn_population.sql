{{ config(materialized='view') }}

-- Who has not ordered for longer has left already: labels leave them out, and so do the scores.
select *
from {{ ref('customer_features') }}
where days_since_last_order <= {{ setting('churn_active_days') }}
