-- The version whose topics count: that of the newest decision. No row where none were found yet.
select
    model_version,
    decision_number
from {{ ref('topics_trained') }}
where
    model_version is not null
    and decision_number = (select max(newest.decision_number) from {{ ref('topics_trained') }} as newest)
