-- The user that CI and schedulers outside Snowflake log in as. TYPE = SERVICE: no password, no single
-- sign-on, no second factor; a key pair or OAuth
-- (https://docs.snowflake.com/en/user-guide/admin-user-management). No secret goes through this file: the
-- public key is one by name. README.md beside it says how to make and how to rotate the pair.
--
-- Variables:
--   rsa_public_key   required: the key without its first and last line and without line breaks
use role useradmin;

create user if not exists customer_insights_service
    type = service
    comment = 'Builds customer_insights from outside Snowflake';

-- Set each time, so that a new key takes effect. `rsa_public_key_2` is left alone: it holds the old key
-- while both are in use (https://docs.snowflake.com/en/user-guide/key-pair-auth).
alter user customer_insights_service set
    rsa_public_key = '<% rsa_public_key %>'
    default_role = customer_insights_transformer
    default_warehouse = transforming
    default_namespace = customer_insights;

use role securityadmin;
grant role customer_insights_transformer to user customer_insights_service;
