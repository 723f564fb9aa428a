{#
  From a score back to the labels behind it: which version gave it, when and on what that version was trained,
  and each of its labels with the definition and source row that were valid then:

    dbt run-operation print_label_lineage --args '{model: churn, entity: c0012, as_of: 2024-11-01}'

  as_of: the day that the score is of; left out, the newest one. labels: how many labels are listed, those that have
  changed since first; analyses/label_lineage.sql is all of them.
#}
{% macro print_label_lineage(model=none, entity=none, as_of=none, labels=20) %}
    {% if execute %}
        {% do check_settings() %}
        {% set log = decision_log_of(model) %}
        {% if log.task not in label_histories() %}
            {% do stop(
                'The labels of ' ~ log.model_name ~ ' have no history: it is kept for '
                ~ (label_histories() | join(', ')) ~ '.'
            ) %}
        {% elif not modules.re.fullmatch('[0-9]{1,6}', labels | string) %}
            {% do stop("labels is '" ~ labels ~ "'; it must be a whole number.") %}
        {% elif as_of is not none and not is_timestamp_text(as_of | string) %}
            {% do stop("as_of is '" ~ as_of ~ "'; it must be a day like 2024-06-30.") %}
        {% endif %}
        {% set scores = rows_of_query(
            'select model_version, as_of_on, score, sample_role from ' ~ ref('scored_rows') ~ ' where model_name = '
            ~ text_literal(log.model_name) ~ ' and entity_id = ' ~ text_literal(entity | string)
            ~ (' and as_of_on = cast(' ~ text_literal((as_of | string)[:10]) ~ ' as date)' if as_of is not none else '')
            ~ ' qualify as_of_on = max(as_of_on) over () order by model_version'
        ) %}
        {% if not scores %}
            {% do stop(
                log.model_name ~ " has not scored '" ~ entity ~ "'"
                ~ (' as of ' ~ as_of if as_of is not none else '') ~ '.'
            ) %}
        {% endif %}
        {% for score in scores %}{% do print_lineage_of(log, score, entity, labels | int) %}{% endfor %}
    {% endif %}
{% endmacro %}

{# The lineage of one score. #}
{% macro print_lineage_of(log, score, entity, most) %}
    {% set version = log.trained[score.model_version] %}
    {% set lineage = '(' ~ label_lineage(log.task) ~ ') as lineage where model_name = '
        ~ text_literal(log.model_name) ~ ' and decision_number = ' ~ version.decision_number %}
    {% do print(
        log.model_name ~ ' scored ' ~ entity ~ ' as of ' ~ score.as_of_on ~ ' at '
        ~ '%.4f' | format(score.score | float) ~ ', by version ' ~ score.model_version ~ ', to which it was '
        ~ score.sample_role ~ '.'
    ) %}
    {% do print(
        '  Trained in decision ' ~ version.decision_number ~ ' at ' ~ version.decided_at ~ ' (' ~ version.decision
        ~ '); training set ' ~ version.training_set_hash
    ) %}
    {% set counts = {} %}
    {% for row in rows_of_query(
        'select split, count(*) as label_count, sum(case when is_changed then 1 else 0 end) as changed_count from '
        ~ lineage ~ ' group by split'
    ) %}
        {% do counts.update({row.split: row}) %}
    {% endfor %}
    {% for split in ['train', 'validation', 'test'] %}
        {% set found = counts.get(split, {'label_count': 0, 'changed_count': 0}) %}
        {% do print(
            '  %-10s' | format(split) ~ ' ' ~ version[split ~ '_from_on'] ~ ' to ' ~ version[split ~ '_to_on'] ~ ': '
            ~ counted_rows(version[split ~ '_rows'] | int) ~ ', ' ~ thousands(version[split ~ '_positives'] | int)
            ~ ' positive; the history has ' ~ thousands(found.label_count | int) ~ ' of these labels, '
            ~ thousands(found.changed_count | int) ~ ' changed since'
        ) %}
    {% endfor %}
    {% for row in rows_of_query(
        'select * from ' ~ lineage
        ~ ' order by case when is_changed then 0 else 1 end, as_of_on desc nulls last, entity_id limit ' ~ most
    ) %}
        {% do print(
            '    %-10s %-12s' | format(row.split, row.entity_id) ~ ' as of ' ~ row.as_of_on ~ ': '
            ~ (row.is_positive | string | lower) ~ ', definition ' ~ row.label_definition_version ~ ', source row '
            ~ (row.source_row_key if row.source_row_key is not none else 'none') ~ ', since ' ~ row.since_at
            ~ (' until ' ~ row.until_at if row.until_at is not none else '')
            ~ (', now ' ~ (row.is_positive_now | string | lower if row.is_positive_now is not none else 'gone or not final')
                if row.is_changed else '')
        ) %}
    {% endfor %}
{% endmacro %}
