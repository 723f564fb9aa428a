-- The key alone would miss a label that changed and was not seen to.
select
    labels.customer_id,
    labels.as_of_on,
    labels.is_churned,
    history.is_churned as is_churned_in_history,
    history.dbt_valid_from
from {{ ref('churn_labels') }} as labels
left join {{ ref('churn_label_history') }} as history
    on
        labels.customer_id = history.customer_id
        and labels.as_of_on = history.as_of_on
        and history.dbt_valid_to is null
where
    labels.is_churned is not null
    and (
        history.customer_id is null
        or labels.is_churned is distinct from history.is_churned
        or labels.label_definition_version is distinct from history.label_definition_version
    )
