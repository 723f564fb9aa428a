-- What `notify` and Snowflake's notifications have not sent yet. What was sent is no model's table: a
-- build must not forget it (macros/monitoring).
select alerts.*
from {{ ref('alerts') }} as alerts
left join {{ sent_alerts() }} as sent on alerts.alert_id = sent.alert_id
where sent.alert_id is null
