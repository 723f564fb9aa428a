{{ config(materialized='view') }}

select
    labels.is_churned,
    labels.matured_on,
    labels.label_definition_version,
    labels.source_row_key,
    features.*
from {{ ref('churn_labels') }} as labels
inner join {{ ref('customer_features') }} as features
    on labels.customer_id = features.customer_id and labels.as_of_on = features.as_of_on
where labels.is_churned is not null
