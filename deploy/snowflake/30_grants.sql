-- What each role may do. A grant that exists already is no error, so the file can run again.
-- Each privilege and what it is for: https://docs.snowflake.com/en/user-guide/security-access-control-privileges
--
-- Variables:
--   ml_schema   as in 10_database.sql; default insights
use role securityadmin;

-- --- transformer: warehouses ---
-- USAGE runs statements and wakes a suspended warehouse, and a dynamic table's owner needs it on the
-- warehouse that refreshes the table, at all times
-- (https://docs.snowflake.com/en/user-guide/dynamic-tables/privileges).
grant usage on warehouse transforming to role customer_insights_transformer;
grant usage on warehouse training to role customer_insights_transformer;

-- --- transformer: schemas ---
-- What dbt makes with CREATE SCHEMA belongs to it, with everything inside: private tables, dynamic
-- tables, functions, temporary stages and models of the registry need no further right there.
grant usage, create schema on database customer_insights to role customer_insights_transformer;

-- The two public schemas are the owner's, so that dbt cannot drop them; there it needs by name:
--   CREATE TABLE, VIEW           seeds, tables and the views that people read
--   CREATE DYNAMIC TABLE         https://docs.snowflake.com/en/user-guide/dynamic-tables/privileges
--   CREATE FUNCTION              scoring as a vectorised function, temporary ones too
--                                (https://docs.snowflake.com/en/sql-reference/sql/create-function)
--   CREATE STAGE                 the temporary stages of Snowpark and of the registry
--                                (https://docs.snowflake.com/en/sql-reference/sql/create-stage)
--   CREATE MODEL                 versions in the model registry
--                                (https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview)
--   CREATE PROCEDURE             GET_PRODUCT_RECOMMENDATIONS. Python models need no such right, as dbt sends them
--                                as anonymous procedures (https://docs.snowflake.com/en/sql-reference/sql/call-with)
grant usage, create table, create view, create dynamic table, create function, create stage, create model,
    create procedure
    on schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_transformer;
grant usage, create table, create view, create dynamic table, create function, create stage, create model,
    create procedure
    on schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_transformer;

-- The transformer may make and fill tables in raw. What another pipeline makes there is read only; tables that
-- belong to another role also need change tracking, which only their owner can turn on: README.md, "Your
-- own tables".
grant usage, create table, create stage, create file format
    on schema customer_insights.raw
    to role customer_insights_transformer;
grant select on all tables in schema customer_insights.raw to role customer_insights_transformer;
grant select on future tables in schema customer_insights.raw to role customer_insights_transformer;
grant select on all views in schema customer_insights.raw to role customer_insights_transformer;
grant select on future views in schema customer_insights.raw to role customer_insights_transformer;
grant select on all dynamic tables in schema customer_insights.raw
    to role customer_insights_transformer;
grant select on future dynamic tables in schema customer_insights.raw
    to role customer_insights_transformer;

-- --- transformer: deployment ---
-- CREATE TASK and CREATE DBT PROJECT: schedules (tasks.sql) and `snow dbt deploy`. The table and the
-- procedure are the log of scheduled builds. The owner of a task that runs a dbt project is best the
-- role of its profile (https://docs.snowflake.com/en/user-guide/data-engineering/dbt-projects-on-snowflake-access-control).
grant usage, create task, create dbt project, create table, create procedure
    on schema customer_insights.deployment
    to role customer_insights_transformer;
-- READ is what `imports` of a procedure or function needs; WRITE is for the deploy step. Where deployment
-- has a user of its own, revoke WRITE on the library here and deploy as customer_insights_owner.
grant read, write on stage customer_insights.deployment.library to role customer_insights_transformer;
grant read, write on stage customer_insights.deployment.uploads to role customer_insights_transformer;

-- --- reader: the public schemas, what is there and what comes; nothing of the private ones ---
-- dbt replaces views at each build; a replaced object is a new one, and a future grant covers it
-- (https://docs.snowflake.com/en/sql-reference/sql/grant-privilege). Dynamic tables are a type of their own
-- in grants (https://docs.snowflake.com/en/user-guide/dynamic-tables/privileges). No warehouse: readers
-- bring their own, so that what they cost is seen apart.
grant usage on database customer_insights to role customer_insights_reader;
grant usage on schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant select on all tables in schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant select on future tables in schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant select on all views in schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant select on future views in schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant select on all dynamic tables in schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant select on future dynamic tables in schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant usage on all procedures in schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant usage on future procedures in schema customer_insights.<% ml_schema | default('insights') %>
    to role customer_insights_reader;
grant usage on schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;
grant select on all tables in schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;
grant select on future tables in schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;
grant select on all views in schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;
grant select on future views in schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;
grant select on all dynamic tables in schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;
grant select on future dynamic tables in schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;
grant usage on all procedures in schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;
grant usage on future procedures in schema customer_insights.<% ml_schema | default('insights') %>_sample
    to role customer_insights_reader;

-- --- rights of the account, which only ACCOUNTADMIN gives ---
use role accountadmin;

-- The owner of a task needs it for the task to run (https://docs.snowflake.com/en/sql-reference/sql/create-task).
grant execute task on account to role customer_insights_transformer;

-- Reviews with the engine `cortex` call AI functions. Both are needed; AI_FUNCTIONS_USER is the narrower
-- of the two database roles that serve: CORTEX_USER adds agents, analysts and fine-tuning
-- (https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-privileges-and-access).
grant use ai functions on account to role customer_insights_transformer;
grant database role snowflake.ai_functions_user to role customer_insights_transformer;

-- account_usage, for analyses/cost_per_model_on_snowflake.sql: USAGE_VIEWER sees credits, GOVERNANCE_VIEWER
-- the query history (https://docs.snowflake.com/en/sql-reference/snowflake-db-roles).
grant database role snowflake.usage_viewer to role customer_insights_owner;
grant database role snowflake.governance_viewer to role customer_insights_owner;
