{#
  What was sent. A row is added after the alert has gone out: a crash between the two sends it once more,
  with the same id.
#}

{# The table of the alerts that were sent; `prepare_monitoring` makes it. #}
{% macro sent_alerts() %}
    {% do return(api.Relation.create(
        database=target.database, schema=generate_schema_name('internal', none), identifier='sent_alerts'
    )) %}
{% endmacro %}

{# Notes that an alert was sent. Its id is an md5: nothing else goes into the statement. #}
{% macro record_sent_alert(alert_id) %}
    {% if modules.re.fullmatch('[0-9a-f]{32}', alert_id) is none %}
        {% do stop("'" ~ alert_id ~ "' is no id of an alert; give one of the table alerts.") %}
    {% endif %}
    {% do run_query(
        'insert into ' ~ sent_alerts() ~ " values ('" ~ alert_id ~ "', cast('"
        ~ modules.datetime.datetime.now(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S') ~ "' as timestamp))"
    ) %}
    {% do keep_statements() %}
{% endmacro %}

{#
  Sends new alerts by a notification integration of Snowflake, without a machine of yours:
  dbt run-operation send_alerts_by_notification_integration. deploy/snowflake/70_alert_webhook.sql
  makes the integration; its address never leaves the account.

  integration: its name.
#}
{% macro send_alerts_by_notification_integration(integration='customer_insights_alert_webhook') %}
    {{ return(adapter.dispatch('send_alerts_by_notification_integration')(integration)) }}
{% endmacro %}

{% macro default__send_alerts_by_notification_integration(integration) %}
    {% do stop('Notification integrations are Snowflake\'s; elsewhere type: make notify') %}
{% endmacro %}

{#
  https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_snowflake_notification
  SANITIZE_WEBHOOK_CONTENT takes out what stands for the secret of the address:
  https://docs.snowflake.com/en/sql-reference/functions/sanitize_webhook_content
#}
{% macro snowflake__send_alerts_by_notification_integration(integration) %}
    {% if modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_$]*', integration) is none %}
        {% do stop("'" ~ integration ~ "' is no plain name of an integration: letters, digits and _.") %}
    {% endif %}
    {% set new %}
        select
            alerts.alert_id,
            coalesce(alerts.severity || ': ', '') || alerts.message || coalesce(' ' || alerts.remedy, '') as sentence
        from {{ ref('alerts') }} as alerts
        left join {{ sent_alerts() }} as sent on alerts.alert_id = sent.alert_id
        where sent.alert_id is null
        order by alerts.alert_id
    {% endset %}
    {% set rows = run_query(new).rows %}
    {% for row in rows %}
        {# No page says what is escaped on the way into the integration's body, so nothing is sent that needs it. #}
        {% set text = modules.re.sub('[\\x00-\\x1f\\\\]', ' ', row[1] | replace('"', "'")) %}
        {% do run_query(
            'call system$send_snowflake_notification(snowflake.notification.text_plain('
            ~ 'snowflake.notification.sanitize_webhook_content(' ~ text_literal(text)
            ~ ")), snowflake.notification.integration('" ~ integration ~ "'))"
        ) %}
        {% do record_sent_alert(row[0]) %}
    {% endfor %}
    {% do print(rows | length ~ ' alerts sent.') %}
{% endmacro %}
