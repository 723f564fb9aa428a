-- Optional: lets the tasks send a mail when a build fails.
--
-- Variables:
--   alert_email   required: an address that a user of this account has verified; others are refused
--                 (https://docs.snowflake.com/en/user-guide/notifications/email-notifications)
use role accountadmin;

create notification integration if not exists customer_insights_alerts
    type = email
    enabled = true
    allowed_recipients = ('<% alert_email %>')
    comment = 'Failed builds of customer_insights';
alter notification integration customer_insights_alerts set
    allowed_recipients = ('<% alert_email %>');

grant usage on integration customer_insights_alerts to role customer_insights_transformer;
