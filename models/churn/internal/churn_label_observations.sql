{{ config(materialized='view') }}

-- Mature labels only: an immature one is not a value that a label has had.
select
    customer_id,
    as_of_on,
    is_churned,
    matured_on,
    source_row_key,
    label_definition_version,
    (select run_started_at from {{ ref('run_context') }}) as observed_at
from {{ ref('churn_labels') }}
where is_churned is not null
