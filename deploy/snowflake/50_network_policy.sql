-- Optional: the service user may log in only from these addresses. A key that leaks is then of no use
-- elsewhere. Leave it out where CI runs on machines whose addresses change, as GitHub's own runners.
--
-- Variables:
--   allowed_addresses   required: a list in SQL, as "'192.0.2.10/32', '198.51.100.0/24'"
use role customer_insights_owner;

-- A rule is an object of a schema and its owner needs CREATE NETWORK RULE there, which a schema's owner has
-- (https://docs.snowflake.com/en/sql-reference/sql/create-network-rule).
create network rule if not exists customer_insights.deployment.service_addresses
    type = ipv4
    mode = ingress
    value_list = (<% allowed_addresses %>)
    comment = 'Where the service user logs in from';
alter network rule customer_insights.deployment.service_addresses set
    value_list = (<% allowed_addresses %>);

-- A policy for one user wins over the account's
-- (https://docs.snowflake.com/en/user-guide/network-policies). ACCOUNTADMIN, because the policy names a
-- rule of the owner's, which SECURITYADMIN does not see.
use role accountadmin;

create network policy if not exists customer_insights_service
    allowed_network_rule_list = ('customer_insights.deployment.service_addresses')
    comment = 'Where the service user logs in from';
alter user customer_insights_service set network_policy = customer_insights_service;
