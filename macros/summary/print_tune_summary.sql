{# The newest search for parameters: the project's own beside the best, and what comes next. #}
{% macro print_tune_summary() %}
    {% if execute %}
        {% set model_name = dbt.string_literal(setting_value('tuning_model')) %}
        {% set newest %}
            select trial_number, is_best, value, fold_values, parameters, primary_metric, study_id
            from {{ ref('tuning_trials') }}
            where
                model_name = {{ model_name }}
                and study_number = (
                    select max(study_number) from {{ ref('tuning_trials') }} where model_name = {{ model_name }}
                )
            order by trial_number
        {% endset %}
        {% set trials = run_query(newest).rows %}
        {% set best = trials | selectattr(1) | first %}
        {% do print('') %}
        {% do print('Study ' ~ best[6] ~ ': ' ~ trials | length ~ ' trials of ' ~ setting_value('tuning_model')) %}
        {% for trial in ([trials[0], best] if best[0] else [best]) %}
            {% do print('%-24s %s %.4f on the folds (%s)  %s' | format(
                "the project's own" if loop.first else 'best, trial ' ~ trial[0], trial[5], trial[2], trial[3], trial[4]
            )) %}
        {% endfor %}
        {% if best[0] == 0 %}
            {% do print("No trial is better than the project's own parameters.") %}
        {% else %}
            {% do print('The best of many is too good: the next build trains with it, and the gate decides on test rows.') %}
        {% endif %}
        {% do print('Every trial: ' ~ shown_name(ref('tuning_trials'))) %}
    {% endif %}
{% endmacro %}
