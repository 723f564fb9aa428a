{#
  Lets an earlier version of a model serve again, from the next build on, and holds it until it is unpinned:

    dbt run-operation rollback_model --args '{model: churn, version: 2024-10-01-f3017cad, who: Ana, why: bad list}'

  Only a version that was promoted once may come back: the others lost against a constant, a single feature
  or the champion of their day. It is refused, too, where the version could not score what there is today, or
  would predict something else. Nothing is deleted.
#}
{% macro rollback_model(model=none, version=none, who=none, why=none) %}
    {% if execute %}
        {% do check_settings() %}
        {% do begin_change() %}
        {% set reason = checked_reason(who, why) %}
        {% set log = decision_log_of(model) %}
        {% set wanted = version | string | trim %}
        {% set trained = log.trained.get(wanted) %}
        {% if trained is none %}
            {% do stop(
                log.model_name ~ ' has no version ' ~ ("'" ~ wanted ~ "'" if version is not none else 'without a name')
                ~ '; its versions are ' ~ shown_versions(log) ~ '.'
            ) %}
        {% elif wanted not in log.promoted %}
            {% do stop(
                'Version ' ~ wanted ~ ' of ' ~ log.model_name ~ ' was never promoted (' ~ trained.reason
                ~ '), so it may not serve; its versions are ' ~ shown_versions(log) ~ '.'
            ) %}
        {% elif log.serving is not none and wanted == log.serving.model_version %}
            {% do stop(
                'Version ' ~ wanted ~ ' of ' ~ log.model_name ~ ' serves already'
                ~ (', and is pinned.' if log.is_pinned else '; to hold it: dbt run-operation pin_model.')
            ) %}
        {% endif %}
        {% do check_version_can_serve(log, trained) %}
        {% do append_decision(log, 'rolled_back', trained, 'rolled back '
            ~ ('from ' ~ log.serving.model_version ~ ' ' if log.serving is not none else '') ~ reason) %}
        {% do print(
            'Version ' ~ wanted ~ ' of ' ~ log.model_name ~ ' serves from the next build on, until it is unpinned: '
            ~ 'dbt run-operation unpin_model.'
        ) %}
    {% endif %}
{% endmacro %}
