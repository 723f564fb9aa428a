-- The database, its schemas and stages. `create ... if not exists`, not `create or alter`: the latter
-- also unsets each property that a file does not name
-- (https://docs.snowflake.com/en/sql-reference/sql/create-or-alter), so a retention time or a masking
-- rule that an administrator set by hand would be lost at the next run. Never `create or replace`: it
-- would drop models, decisions and scores.
--
-- Variables:
--   ml_schema   as the environment variable ML_SCHEMA; default insights
use role sysadmin;

create database if not exists customer_insights
    comment = 'Purchase intent, reviews and recommendations of a shop, built by dbt';

-- SECURITYADMIN has MANAGE GRANTS, with which ownership can be handed over again at each run, also when
-- it lies with the owner already (https://docs.snowflake.com/en/sql-reference/sql/grant-ownership).
use role securityadmin;
grant ownership on database customer_insights to role customer_insights_owner copy current grants;

use role customer_insights_owner;

create schema if not exists customer_insights.raw
    comment = 'The tables of the shop, as they were loaded';
create schema if not exists customer_insights.deployment
    comment = 'What is deployed: stages, the dbt project and its tasks. No data';

-- dbt makes the other schemas (insights_internal, insights_staging, ...) and owns them. These two hold
-- what people read and exist from the start, because rights on tables to come are given per schema.
create schema if not exists customer_insights.<% ml_schema | default('insights') %>
    comment = 'The tables that people read';
create schema if not exists customer_insights.<% ml_schema | default('insights') %>_sample
    comment = 'The same tables, built from the sample shop';

-- Server-side encryption, which cannot be changed later
-- (https://docs.snowflake.com/en/sql-reference/sql/create-stage). With the default, SNOWFLAKE_FULL, a
-- file is encrypted with a random key before it is sent, so the md5 that LIST shows always differs from
-- that of the file that was sent (https://docs.snowflake.com/en/sql-reference/sql/list). Here it is that
-- of the library and of the data files themselves, so a deployment can be checked.
create stage if not exists customer_insights.deployment.library
    encryption = (type = 'SNOWFLAKE_SSE')
    directory = (enable = true)
    comment = 'Zip files of the Python library, named by their content';
create stage if not exists customer_insights.deployment.uploads
    encryption = (type = 'SNOWFLAKE_SSE')
    directory = (enable = true)
    comment = 'Files to be loaded into the schema raw';
