{#
  Deletes what the settings say is kept no longer:

    dbt run-operation apply_retention

  score_retention_days: scores, and what explains them, of versions that do not serve any more.
  log_retention_days: the logs of `retained_logs`: rows that load_files set aside. load_manifest keeps their
  counts.

  Both null: nothing happens. A day is counted from the start of this run, on the clock: this is no build,
  and what has to be gone by a date can not wait for data. One transaction.
#}
{% macro apply_retention() %}
    {% if execute %}
        {% do check_settings() %}
        {% do check_retention() %}
        {% do prepare_erasure() %}
        {% set present = present_tables() %}
        {% set deletions = retention_deletions(present) %}
        {% do begin_erasure() %}
        {% for deletion in deletions %}
            {% set rows = run_query(
                'select count(*) from ' ~ deletion.relation ~ ' where ' ~ deletion.condition
            ).rows[0][0] | int %}
            {% if rows %}
                {% do run_query('delete from ' ~ deletion.relation ~ ' where ' ~ deletion.condition) %}
            {% endif %}
            {% do print('Deleted %s of %s.%s' | format(
                counted_rows(rows), deletion.relation.schema, deletion.relation.identifier
            )) %}
        {% endfor %}
        {% do commit_erasure([]) %}
        {% if not deletions %}
            {% do print(
                'Nothing to delete: score_retention_days and log_retention_days are null, or there are no such tables.'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# Where scores are, and what explains them; `keys` of a score are entity_id and as_of_on of its explanations. #}
{% macro retained_scores() %}
    {% do return([
        {
            'scores': 'purchase_intent_scored', 'explanations': 'purchase_intent_explained',
            'keys': 'session_id, session_on',
        },
        {'scores': 'churn_scored', 'explanations': 'churn_explained', 'keys': 'customer_id, as_of_on'},
        {'scores': 'product_recommendations_scored'},
    ]) %}
{% endmacro %}

{# Logs that hold what people wrote or were sent, and the column that says when. #}
{% macro retained_logs() %}
    {% do return({'load_rejects': 'loaded_at'}) %}
{% endmacro %}

{#
  Stops where scores would go that belong to rows a model still learns from or is measured on: a version
  that is taken back into service is judged by them.
#}
{% macro check_retention() %}
    {% set days = setting_value('score_retention_days') %}
    {% set needed = {
        'validation_days + test_days': setting_value('validation_days') + setting_value('test_days'),
        'churn_window_days': setting_value('churn_window_days'),
        'recommendation_window_days': setting_value('recommendation_window_days'),
        'train_window_days': setting_value('train_window_days') or 0,
    } %}
    {% for name, least in needed.items() if days is not none and days < least %}
        {% do stop(
            "Setting 'score_retention_days' is " ~ days ~ ', less than ' ~ name ~ ' (' ~ least
            ~ '), which training looks back; give at least ' ~ (needed.values() | max) ~ ', or null.'
        ) %}
    {% endfor %}
{% endmacro %}

{# The deletions that the settings ask for: `relation` and `condition`, explanations before their scores. #}
{% macro retention_deletions(present) %}
    {% set deletions = [] %}
    {% set scored = retained_scores() | selectattr('scores', 'in', present.keys() | list) | list %}
    {% if setting_value('score_retention_days') is not none and scored %}
        {% set serving = [] %}
        {% set versions = run_query(
            'select model_name, model_version from ' ~ ref('serving_versions') ~ ' order by model_name'
        ) %}
        {% for row in versions.rows %}
            {% do serving.append(
                '(model_name = ' ~ quoted_text(row[0]) ~ ' and model_version = ' ~ quoted_text(row[1]) ~ ')'
            ) %}
        {% endfor %}
        {% set old = 'scored_at < ' ~ retained_from('score_retention_days')
            ~ (' and not (' ~ (serving | join(' or ')) ~ ')' if serving else '') %}
        {% for kept in scored %}
            {% if kept.explanations in present %}
                {% do deletions.append({
                    'relation': present[kept.explanations],
                    'condition': '(model_name, model_version, entity_id, as_of_on) in (select model_name, '
                        ~ 'model_version, ' ~ kept['keys'] ~ ' from ' ~ present[kept.scores] ~ ' where ' ~ old ~ ')',
                }) %}
            {% endif %}
            {% do deletions.append({'relation': present[kept.scores], 'condition': old}) %}
        {% endfor %}
    {% endif %}
    {% if setting_value('log_retention_days') is not none %}
        {% for table, time in retained_logs().items() if table in present %}
            {% do deletions.append({
                'relation': present[table], 'condition': time ~ ' < ' ~ retained_from('log_retention_days'),
            }) %}
        {% endfor %}
    {% endif %}
    {% do return(deletions) %}
{% endmacro %}

{# SQL: the time before which a setting keeps nothing. #}
{% macro retained_from(name) %}
    {% do return(dbt.dateadd('day', '-' ~ setting_value(name), load_started_at())) %}
{% endmacro %}
