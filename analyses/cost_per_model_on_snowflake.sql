-- What does each model cost? Credits by day, run and node, from Snowflake's account_usage: copy what
-- `dbt compile` makes of this and run it there as customer_insights_owner. It compiles on DuckDB too,
-- where there is nothing to run it on.
--
-- Columns and their lag (hours, not minutes): docs.snowflake.com/en/sql-reference/account-usage/ with
-- query_history, query_attribution_history, cortex_ai_functions_usage_history,
-- dynamic_table_refresh_history and warehouse_metering_history.
--
-- Nodes are known by the query tag (macros/engine/set_query_tag.sql). Statements of a Python model run in
-- the session that called it and carry its tag. Dynamic tables also refresh on their own, without one:
-- those are found by the refresh history and have no run.
{% set days = 30 %}
{% set since = 'current_date - ' ~ days %}
with

query_history as (

    select * from snowflake.account_usage.query_history
    where start_time >= {{ since }}

),

refresh_history as (

    select * from snowflake.account_usage.dynamic_table_refresh_history
    where
        refresh_start_time >= {{ since }}
        and database_name = '{{ target.database | upper }}'

),

-- Without statements of about 100 ms or less, idle warehouses, cloud services and AI tokens.
attribution as (

    select
        query_id,
        sum(credits_attributed_compute + coalesce(credits_used_query_acceleration, 0)) as warehouse_credits
    from snowflake.account_usage.query_attribution_history
    where start_time >= {{ since }}
    group by query_id

),

-- One row per function, model and hour of a query.
ai_usage as (

    select
        query_id,
        sum(credits) as ai_credits
    from snowflake.account_usage.cortex_ai_functions_usage_history
    where start_time >= {{ since }}
    group by query_id

),

warehouse_metering as (

    select * from snowflake.account_usage.warehouse_metering_history
    where start_time >= {{ since }}

),

-- A tag that is not JSON is another project's: null, not an error.
tagged as (

    select
        query_id,
        warehouse_name,
        credits_used_cloud_services,
        cast(start_time as date) as used_on,
        try_parse_json(query_tag) as tag
    from query_history

),

refreshes as (

    select
        query_id,
        min(lower(schema_name || '.' || name)) as node_id
    from refresh_history
    where query_id is not null
    group by query_id

),

statements as (

    select
        tagged.query_id,
        tagged.warehouse_name,
        tagged.credits_used_cloud_services,
        tagged.used_on,
        cast(get(tagged.tag, 'invocation_id') as varchar) as invocation_id,
        coalesce(cast(get(tagged.tag, 'node_id') as varchar), refreshes.node_id, '(no node)') as node_id,
        coalesce(cast(get(tagged.tag, 'kind') as varchar), 'dynamic_table_refresh') as kind
    from tagged
    left join refreshes on tagged.query_id = refreshes.query_id
    where
        cast(get(tagged.tag, 'project') as varchar) = '{{ project_name }}'
        or refreshes.query_id is not null

),

by_node as (

    select
        statements.used_on,
        statements.invocation_id,
        statements.node_id,
        statements.kind,
        count(*) as statement_count,
        coalesce(sum(attribution.warehouse_credits), 0) as warehouse_credits,
        coalesce(sum(ai_usage.ai_credits), 0) as ai_credits,
        -- Billed only where a day's sum is above 10 % of the account's warehouse credits.
        coalesce(sum(statements.credits_used_cloud_services), 0) as cloud_services_credits
    from statements
    left join attribution on statements.query_id = attribution.query_id
    left join ai_usage on statements.query_id = ai_usage.query_id
    group by
        statements.used_on,
        statements.invocation_id,
        statements.node_id,
        statements.kind

),

-- What the warehouses of these statements cost while no statement ran: the first minute, and the time until
-- they suspend. No model's fault, but on the bill.
idle as (

    select
        cast(start_time as date) as used_on,
        cast(null as varchar) as invocation_id,
        lower(warehouse_name) as node_id,
        'idle_warehouse' as kind,
        0 as statement_count,
        sum(credits_used_compute - credits_attributed_compute_queries) as warehouse_credits,
        0 as ai_credits,
        0 as cloud_services_credits
    from warehouse_metering
    where warehouse_name in (select statements.warehouse_name from statements)
    group by
        cast(start_time as date),
        lower(warehouse_name)

),

costs as (

    select * from by_node

    union all

    select * from idle

)

select
    *,
    warehouse_credits + ai_credits as credits
from costs
order by
    used_on desc nulls last,
    credits desc nulls last,
    node_id asc,
    invocation_id asc
