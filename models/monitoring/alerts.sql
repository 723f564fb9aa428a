select
    found.alert_id,
    vocabulary.severity,
    found.kind,
    found.subject,
    found.model_name,
    found.value,
    found.threshold,
    found.message,
    found.window_end_on,
    found.evidence,
    vocabulary.remedy,
    vocabulary.page
from {{ ref('alerts_found') }} as found
left join {{ ref('alert_vocabulary') }} as vocabulary on found.kind = vocabulary.kind
