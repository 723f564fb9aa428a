{{ config(materialized='view') }}

-- Mature labels only: an immature one is not a value that a label has had.
select
    session_id,
    session_on,
    is_purchase,
    matured_on,
    label_source,
    source_row_key,
    label_definition_version,
    (select run_started_at from {{ ref('run_context') }}) as observed_at
from {{ ref('session_labels') }}
where is_purchase is not null
