-- Three roles, each with what it needs and no more. Idempotent: `if not exists` leaves a role and what
-- was granted to it alone (https://docs.snowflake.com/en/sql-reference/sql/create-role).
--
--   customer_insights_owner        owns the database; looks at costs. People who set up.
--   customer_insights_transformer  what dbt, the deploy step and the tasks use. Builds everything.
--   customer_insights_reader       selects from the public tables. People and dashboards.
use role useradmin;

create role if not exists customer_insights_owner
    comment = 'Owns the database of customer_insights and sees what it costs';
create role if not exists customer_insights_transformer
    comment = 'Builds customer_insights: used by dbt, its deployment and its tasks';
create role if not exists customer_insights_reader
    comment = 'Selects from the public tables of customer_insights';

-- A role that is granted to no other is out of an administrator's reach: all of them end below SYSADMIN
-- (https://docs.snowflake.com/en/user-guide/security-access-control-considerations).
use role securityadmin;

grant role customer_insights_reader to role customer_insights_owner;
grant role customer_insights_transformer to role customer_insights_owner;
grant role customer_insights_owner to role sysadmin;
