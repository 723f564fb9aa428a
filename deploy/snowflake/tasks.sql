-- Schedules: a task graph that runs the project inside Snowflake. It needs the dbt project object, which
-- `snow dbt deploy` makes (README.md beside this file), and the library on its stage.
--
-- No date is written here. What a build scores follows from the data: the setting `as_of` is null, which
-- is the watermark of what was loaded. A task that ran late, or twice, or after a pause gives the same
-- tables as one that ran on time.
--
-- Variables:
--   schedule      default USING CRON 0 5 * * * UTC
--   shop_source   default raw: your tables; sample: the small shop of the project
--   alert_email   default none; as in 60_alerts.sql, which must have run if it is given
--   training_warehouse   default training: where models train; 20_warehouses.sql makes it
use role customer_insights_transformer;

-- A task can be changed only while the root of its graph is suspended. Nothing to do at the first run
-- (https://docs.snowflake.com/en/user-guide/tasks-graphs).
alter task if exists customer_insights.deployment.build_customer_insights suspend;

create table if not exists customer_insights.deployment.builds (
    graph_run_group_id varchar,
    attempt_number integer,
    state varchar,
    error_message varchar,
    scheduled_at timestamp_ltz,
    started_at timestamp_ltz,
    completed_at timestamp_ltz,
    query_id varchar
)
    comment = 'Scheduled builds. Grain: one attempt of a run of the task graph';

-- Stores how the build of a graph run ended, once, and sends a mail if it failed. With the caller's rights:
-- TASK_HISTORY shows a task's runs to the role that owns it
-- (https://docs.snowflake.com/en/sql-reference/functions/task_history).
create or replace procedure customer_insights.deployment.record_build(run_group_id varchar)
    returns varchar
    language sql
    execute as caller
as
$$
declare
    failures integer;
begin
    insert into customer_insights.deployment.builds
    select
        runs.graph_run_group_id,
        runs.attempt_number,
        runs.state,
        runs.error_message,
        runs.scheduled_time,
        runs.query_start_time,
        runs.completed_time,
        runs.query_id
    from table(customer_insights.information_schema.task_history(
        task_name => 'BUILD_CUSTOMER_INSIGHTS',
        database_name => 'CUSTOMER_INSIGHTS',
        schema_name => 'DEPLOYMENT'
    )) as runs
    where
        runs.graph_run_group_id = :run_group_id
        and not exists (
            select 1
            from customer_insights.deployment.builds as stored
            where
                stored.graph_run_group_id = runs.graph_run_group_id
                and stored.attempt_number = runs.attempt_number
        );

    select count_if(state <> 'SUCCEEDED') into :failures
    from customer_insights.deployment.builds
    where graph_run_group_id = :run_group_id;

    if (failures > 0 and '<% alert_email | default('') %>' <> '') then
        call system$send_email(
            'customer_insights_alerts',
            '<% alert_email | default('') %>',
            'customer_insights: a scheduled build failed',
            'select * from customer_insights.deployment.builds where graph_run_group_id = ''' || :run_group_id || ''''
        );
    end if;

    return failures || ' failed';
end;
$$;

-- `create or replace`: a task holds no data, and the whole of it is written here. A new task is suspended
-- (https://docs.snowflake.com/en/sql-reference/sql/create-task). A task that runs a dbt project lies in the
-- project's schema and has a warehouse of its own, not a serverless one; the profile's, so that one
-- warehouse wakes and not two
-- (https://docs.snowflake.com/en/user-guide/data-engineering/dbt-projects-on-snowflake-schedule-project-execution,
-- https://docs.snowflake.com/en/user-guide/data-engineering/dbt-projects-on-snowflake-best-practices).
-- No retries: a build that failed a data test would fail it again and cost twice.
create or replace task customer_insights.deployment.build_customer_insights
    warehouse = transforming
    schedule = '<% schedule | default('USING CRON 0 5 * * * UTC') %>'
    allow_overlapping_execution = false
    user_task_timeout_ms = 14400000
    suspend_task_after_num_failures = 3
    comment = 'dbt build'
as
    execute dbt project customer_insights.deployment.customer_insights
        args = 'build --target snowflake --vars "{shop_source: <% shop_source | default('raw') %>, training_warehouse: <% training_warehouse | default('training') %>}"';

-- The finalizer runs when the build has ended, however it ended
-- (https://docs.snowflake.com/en/user-guide/tasks-graphs).
create or replace task customer_insights.deployment.record_customer_insights
    warehouse = transforming
    user_task_timeout_ms = 600000
    comment = 'Stores how the build ended; sends a mail if it failed'
    finalize = customer_insights.deployment.build_customer_insights
as
    call customer_insights.deployment.record_build(
        system$task_runtime_info('CURRENT_TASK_GRAPH_RUN_GROUP_ID')
    );

-- The finalizer first, the root last: from then on the schedule runs
-- (https://docs.snowflake.com/en/user-guide/tasks-graphs).
alter task customer_insights.deployment.record_customer_insights resume;
alter task customer_insights.deployment.build_customer_insights resume;
