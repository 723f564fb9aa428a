-- Alerts of severity error, each with its figures. Nothing depends on `alerts`: all tables are stored.
{{ name_severe_alerts() }}

select
    kind,
    subject,
    value,
    threshold,
    message
from {{ ref('alerts') }}
where severity = 'error'
