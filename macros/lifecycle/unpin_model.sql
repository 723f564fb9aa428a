{#
  Lets builds train and promote again. What serves goes on serving until something better is promoted:

    dbt run-operation unpin_model --args '{model: churn, who: Ana, why: the campaign is over}'
#}
{% macro unpin_model(model=none, who=none, why=none) %}
    {% if execute %}
        {% do check_settings() %}
        {% do begin_change() %}
        {% set reason = checked_reason(who, why) %}
        {% set log = decision_log_of(model) %}
        {% if not log.is_pinned %}
            {% do stop('No version of ' ~ log.model_name ~ ' is pinned.') %}
        {% elif log.serving is none %}
            {% do stop('No decision holds the pinned version of ' ~ log.model_name ~ '; restore the decision log '
                ~ 'from a backup.') %}
        {% endif %}
        {% do append_decision(log, 'unpinned', log.serving, 'unpinned ' ~ reason) %}
        {% do print(
            'Version ' ~ log.serving.model_version ~ ' of ' ~ log.model_name
            ~ ' serves until a build promotes a better one.'
        ) %}
    {% endif %}
{% endmacro %}
