select
    session_id,
    session_on,
    is_purchase,
    matured_on,
    label_source,
    source_row_key,
    label_definition_version
from {{ ref('session_labels_computed') }}
