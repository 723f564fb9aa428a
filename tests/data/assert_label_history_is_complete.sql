-- `session_id` alone would miss a label that changed and was not seen to.
select
    labels.session_id,
    labels.is_purchase,
    history.is_purchase as is_purchase_in_history,
    history.dbt_valid_from
from {{ ref('session_labels') }} as labels
left join {{ ref('session_label_history') }} as history
    on labels.session_id = history.session_id and history.dbt_valid_to is null
where
    labels.is_purchase is not null
    and (
        history.session_id is null
        or labels.is_purchase is distinct from history.is_purchase
        or labels.label_definition_version is distinct from history.label_definition_version
    )
