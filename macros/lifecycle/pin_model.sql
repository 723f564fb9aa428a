{#
  Holds the version of a model that serves: builds evaluate and store its triggers, and train nothing until
  it is unpinned:

    dbt run-operation pin_model --args '{model: churn, who: Ana, why: a campaign is measured}'
#}
{% macro pin_model(model=none, who=none, why=none) %}
    {% if execute %}
        {% do check_settings() %}
        {% do begin_change() %}
        {% set reason = checked_reason(who, why) %}
        {% set log = decision_log_of(model) %}
        {% if log.serving is none %}
            {% do stop('No version of ' ~ log.model_name ~ ' serves yet, so there is nothing to pin.') %}
        {% elif log.is_pinned %}
            {% do stop(
                'Version ' ~ log.serving.model_version ~ ' of ' ~ log.model_name ~ ' is pinned already (decision '
                ~ log.newest.decision_number ~ ': ' ~ log.newest.reason ~ ').'
            ) %}
        {% endif %}
        {% do append_decision(log, 'pinned', log.serving, 'pinned ' ~ reason) %}
        {% do print(
            'Version ' ~ log.serving.model_version ~ ' of ' ~ log.model_name ~ ' serves until it is unpinned: '
            ~ 'dbt run-operation unpin_model.'
        ) %}
    {% endif %}
{% endmacro %}
