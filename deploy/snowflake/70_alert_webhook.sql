-- Optional: lets `dbt run-operation send_alerts_by_notification_integration` post the alerts of a build to
-- a chat. Snowflake posts to Slack, Teams and PagerDuty only
-- (https://docs.snowflake.com/en/user-guide/notifications/webhook-notifications).
--
-- Variables:
--   webhook_secret   required: what follows https://hooks.slack.com/services/ in the address of a webhook
--                    of Slack. Whoever knows it can post: give it on the command line, and keep it nowhere
use role accountadmin;

create secret if not exists customer_insights.deployment.alert_webhook_secret
    type = generic_string
    secret_string = '<% webhook_secret %>'
    comment = 'Webhook that alerts are posted to';
alter secret customer_insights.deployment.alert_webhook_secret set
    secret_string = '<% webhook_secret %>';

-- https://docs.snowflake.com/en/sql-reference/sql/create-notification-integration-webhooks
create notification integration if not exists customer_insights_alert_webhook
    type = webhook
    enabled = true
    webhook_url = 'https://hooks.slack.com/services/SNOWFLAKE_WEBHOOK_SECRET'
    webhook_secret = customer_insights.deployment.alert_webhook_secret
    webhook_body_template = '{"text": "SNOWFLAKE_WEBHOOK_MESSAGE"}'
    webhook_headers = ('Content-Type' = 'application/json')
    comment = 'Alerts of customer_insights';

grant usage on integration customer_insights_alert_webhook to role customer_insights_transformer;
grant read on secret customer_insights.deployment.alert_webhook_secret to role customer_insights_transformer;
