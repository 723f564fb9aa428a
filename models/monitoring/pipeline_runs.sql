-- The log is no model: the last hook of each run writes it (macros/monitoring/run_log.sql).
select
    invocation_id,
    node,
    resource_type,
    status,
    rows_affected,
    run_started_at,
    started_at,
    seconds,
    message,
    row_count
from {{ run_log() }}
