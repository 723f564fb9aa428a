{# SQL condition: a name is in a list written as `a|b|c`. #}
{% macro is_listed(name, list) -%}
    '|' || {{ list }} || '|' like '%|' || {{ name }} || '|%'
{%- endmacro %}

{#
  Stops where the model catalog names a feature that the feature catalog does not have or that this
  model may not use, before any model is trained, or a setting names no model of it.
#}
{% macro check_model_catalog() %}
    {% if is_building() %}
        {% set models = run_query('select model_name, feature_table, known_when, is_outcome_derived_allowed, included_features, excluded_features, primary_metric, baseline_features from ' ~ ref('model_catalog') ~ ' order by model_name') %}
        {% set features = run_query('select feature_table, feature, known_when, is_outcome_derived, is_protected, is_current_only from ' ~ ref('feature_catalog') ~ ' order by feature') %}
        {% set metrics = ['pr_auc', 'roc_auc', 'f1'] %}
        {% set problems = [] %}
        {% for model in models.rows %}
            {% set known = {} %}
            {% for feature in features.rows if feature[0] == model[1] %}
                {% do known.update({feature[1]: feature}) %}
            {% endfor %}
            {% set at = "model_catalog.csv, row '" ~ model[0] ~ "': " %}
            {% if model[6] not in metrics %}
                {% do problems.append(at ~ "primary_metric '" ~ model[6] ~ "' is not one of " ~ (metrics | join(', ')) ~ '.') %}
            {% endif %}
            {% if not known %}
                {% do problems.append(at ~ "feature_table '" ~ model[1] ~ "' has no row in feature_catalog.csv.") %}
            {% endif %}
            {% for name in ((model[4] or '') ~ '|' ~ (model[5] or '') ~ '|' ~ (model[7] or '')).split('|') if name and known and name not in known %}
                {% do problems.append(at ~ "feature '" ~ name ~ "' does not exist; feature_catalog.csv lists those of " ~ model[1] ~ ': ' ~ (known.keys() | join(', ')) ~ '.') %}
            {% endfor %}
            {% for name in ((model[4] or '') ~ '|' ~ (model[7] or '')).split('|') if name in known %}
                {% set feature = known[name] %}
                {% if feature[2] not in (model[2], 'in_session') or (feature[3] and not model[3]) or feature[4] or feature[5] %}
                    {% do problems.append(at ~ "feature '" ~ name ~ "' may not be used: feature_catalog.csv says known_when " ~ feature[2] ~ ', is_outcome_derived ' ~ feature[3] ~ ', is_protected ' ~ feature[4] ~ ', is_current_only ' ~ feature[5] ~ '.') %}
                {% endif %}
            {% endfor %}
        {% endfor %}
        {% if problems %}{{ stop(problems | join('\n')) }}{% endif %}
        {{ check_tuning_model() }}
    {% endif %}
{% endmacro %}
