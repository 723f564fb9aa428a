-- Two warehouses and a credit limit for each. `create if not exists` makes them, `alter` brings them to
-- what is written here, so a changed variable takes effect at the next run; properties that are not
-- named here stay as somebody set them.
--
-- Variables:
--   transforming_quota   credits of transforming in a month; default 20
--   training_quota       credits of training in a month; default 10
--   training_size        default XSMALL
--   training_memory      default MEMORY_1X (16 GB). The smallest size for MEMORY_16X (256 GB) is MEDIUM
--                        (https://docs.snowflake.com/en/user-guide/warehouses-snowpark-optimized)

-- Only ACCOUNTADMIN can make resource monitors. They count warehouses and their cloud services; not
-- serverless features, not Cortex: a budget watches those
-- (https://docs.snowflake.com/en/user-guide/resource-monitors).
-- No frequency: the credits used are then reset at the start of each calendar month. `alter` replaces the
-- triggers (https://docs.snowflake.com/en/sql-reference/sql/alter-resource-monitor).
use role accountadmin;

create resource monitor if not exists customer_insights_transforming with
    credit_quota = <% transforming_quota | default(20) %>;
alter resource monitor customer_insights_transforming set
    credit_quota = <% transforming_quota | default(20) %>
    triggers
        on 75 percent do notify
        on 95 percent do suspend
        on 110 percent do suspend_immediate;

create resource monitor if not exists customer_insights_training with
    credit_quota = <% training_quota | default(10) %>;
alter resource monitor customer_insights_training set
    credit_quota = <% training_quota | default(10) %>
    triggers
        on 75 percent do notify
        on 95 percent do suspend
        on 110 percent do suspend_immediate;

use role sysadmin;

-- SQL models, dynamic tables and data tests. A resumed warehouse is billed for a minute at least
-- (https://docs.snowflake.com/en/user-guide/cost-understanding-compute), so to suspend after less than 60
-- seconds can cost more than it saves. A statement that runs for an hour is a mistake, not work.
create warehouse if not exists transforming
    warehouse_size = 'XSMALL'
    auto_suspend = 60
    auto_resume = true
    initially_suspended = true
    comment = 'SQL of customer_insights';
alter warehouse transforming set
    warehouse_size = 'XSMALL'
    auto_suspend = 60
    auto_resume = true
    statement_timeout_in_seconds = 3600;

-- Python that trains: one procedure at a time with the whole node to itself, which is what Snowflake
-- recommends for training on a Snowpark-optimised warehouse
-- (https://docs.snowflake.com/en/developer-guide/snowpark/python/python-snowpark-training-ml).
create warehouse if not exists training
    warehouse_type = 'SNOWPARK-OPTIMIZED'
    resource_constraint = '<% training_memory | default('MEMORY_1X') %>'
    warehouse_size = '<% training_size | default('XSMALL') %>'
    auto_suspend = 60
    auto_resume = true
    initially_suspended = true
    comment = 'Model training of customer_insights';
alter warehouse training set
    resource_constraint = '<% training_memory | default('MEMORY_1X') %>'
    warehouse_size = '<% training_size | default('XSMALL') %>'
    auto_suspend = 60
    auto_resume = true
    max_concurrency_level = 1
    statement_timeout_in_seconds = 14400;

-- To put a warehouse under a monitor is an account administrator's right too
-- (https://docs.snowflake.com/en/user-guide/resource-monitors).
use role accountadmin;
alter warehouse transforming set resource_monitor = customer_insights_transforming;
alter warehouse training set resource_monitor = customer_insights_training;
