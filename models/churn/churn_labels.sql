select
    customer_id,
    as_of_on,
    is_churned,
    matured_on,
    source_row_key,
    label_definition_version
from {{ ref('churn_labels_computed') }}
