{#
  What the decision log says of a model, for a person who changes what serves or asks why: `model_name`, `task`,
  `feature_table`, `relation` (the table that is the log), `newest` (its newest decision), `serving` and
  `trained` (decisions that made a version, with its artifact: the serving one, none where its row
  is gone, and all by version),
  `promoted` (versions that were promoted once) and `is_pinned`. Stops where there is no such model or log.
#}
{% macro decision_log_of(model) %}
    {% if not is_built(ref('model_catalog')) %}
        {% do stop('Nothing has been built in ' ~ ref('model_catalog').schema ~ ' yet; run dbt build first.') %}
    {% endif %}
    {% set catalog = {} %}
    {% for row in rows_of_query(
        'select model_name, task, feature_table from ' ~ ref('model_catalog') ~ ' order by model_name'
    ) %}
        {% do catalog.update({row.model_name: row}) %}
    {% endfor %}
    {% set found = catalog.get(model | string | trim) %}
    {% if found is none %}
        {% do stop(
            ("There is no model '" ~ model ~ "'" if model is not none else '`model` is missing')
            ~ '; the models are ' ~ (catalog | join(', ')) ~ ' (model_catalog.csv).'
        ) %}
    {% elif found.task == 'review_sentiment' and setting_value('text_engine') != 'embedded' %}
        {% do stop('Only the text engine embedded uses the model review_sentiment; text_engine is '
            ~ setting_value('text_engine') ~ '.') %}
    {% endif %}
    {% set relation = ref(found.task ~ '_trained') %}
    {% set decisions = [] if not is_built(relation) else rows_of_query(
        'select decision_number, decided_at, model_version, decision, reason, is_champion, feature_names, parameters, '
        ~ 'train_from_on, train_to_on, train_rows, train_positives, validation_from_on, validation_to_on, '
        ~ 'validation_rows, validation_positives, test_from_on, test_to_on, test_rows, test_positives, '
        ~ 'training_set_hash, artifact_sha256 is not null as is_trained from ' ~ relation ~ ' where model_name = '
        ~ text_literal(found.model_name) ~ ' order by decision_number'
    ) %}
    {% if not decisions %}
        {% do stop('No build has decided about ' ~ found.model_name ~ ' yet; run dbt build first.') %}
    {% endif %}
    {% set trained = {} %}
    {% for row in decisions if row.is_trained %}
        {# The same model can be trained twice, then under one version; the newest decision counts. #}
        {% do trained.update({row.model_version: row}) %}
    {% endfor %}
    {% set champions = decisions | selectattr('is_champion') | list %}
    {% do return({
        'model_name': found.model_name,
        'task': found.task,
        'feature_table': found.feature_table,
        'relation': relation,
        'newest': decisions | last,
        'serving': trained.get((champions | last).model_version) if champions else none,
        'trained': trained,
        'promoted': decisions | selectattr('decision', 'equalto', 'trained_promoted')
            | map(attribute='model_version') | list,
        'is_pinned': (decisions | last).decision in ('rolled_back', 'pinned'),
    }) %}
{% endmacro %}

{# Whether a relation is in the database. Not load_relation: it opens a transaction of its own. #}
{% macro is_built(relation) %}
    {% set found %}
        select count(*)
        from information_schema.tables
        where
            lower(table_catalog) = lower({{ text_literal(relation.database) }})
            and lower(table_schema) = lower({{ text_literal(relation.schema) }})
            and lower(table_name) = lower({{ text_literal(relation.identifier) }})
    {% endset %}
    {% do return(run_query(found).rows[0][0] | int > 0) %}
{% endmacro %}

{# The rows of a query as mappings with lower-case names. #}
{% macro rows_of_query(query) %}
    {% set found = run_query(query) %}
    {% set rows = [] %}
    {% for row in found.rows %}
        {% set mapping = {} %}
        {% for name in found.column_names %}{% do mapping.update({name | lower: row[loop.index0]}) %}{% endfor %}
        {% do rows.append(mapping) %}
    {% endfor %}
    {% do return(rows) %}
{% endmacro %}

{# The versions of a model in words, newest first, with what became of them. #}
{% macro shown_versions(log) %}
    {% set shown = [] %}
    {% for version in log.trained %}
        {% set is_serving = log.serving is not none and version == log.serving.model_version %}
        {% do shown.append(
            version ~ (' (serves)' if is_serving else ' (promoted)' if version in log.promoted else ' (rejected)')
        ) %}
    {% endfor %}
    {% do return(shown | reverse | join(', ') if shown else 'none, as nothing has been trained') %}
{% endmacro %}

{#
  Who decided and why, in words for the log; stops where either is missing. It is text and nothing else:
  it reaches the database as a literal.
#}
{% macro checked_reason(who, why) %}
    {% set words = [] %}
    {% for name, given in {'who': who, 'why': why}.items() %}
        {% set text = modules.re.sub('[\\s\\x00-\\x1f\\x7f]+', ' ', given | string) | trim %}
        {% if given is none or text == '' or given is mapping or (given is iterable and given is not string) %}
            {% do stop(
                '`' ~ name ~ '` is missing: the decision log says of each change who made it and why; add '
                ~ "both to --args '{..., who: Ana, why: the reason}'."
            ) %}
        {% elif text | length > 500 %}
            {% do stop('`' ~ name ~ '` has ' ~ (text | length) ~ ' characters; the decision log takes 500.') %}
        {% endif %}
        {% do words.append(text) %}
    {% endfor %}
    {% do return('by ' ~ words[0] ~ ': ' ~ words[1]) %}
{% endmacro %}

{#
  Stops where a version cannot score what there is today (a feature is gone, its stored model was changed),
  where the catalog no longer allows what it uses, or where the label has come to mean something else.
#}
{% macro check_version_can_serve(log, version) %}
    {% set at = 'Version ' ~ version.model_version ~ ' of ' ~ log.model_name ~ ' may not serve: ' %}
    {% set used = fromjson(version.feature_names) %}
    {% set features = ref(log.feature_table) %}
    {% set present = run_query('select * from ' ~ features ~ ' where false').column_names | map('lower') | list %}
    {% set gone = used | reject('in', present) | list %}
    {% if gone %}
        {% do stop(at ~ 'it uses ' ~ (gone | join(', ')) ~ ', which ' ~ features.schema ~ '.' ~ features.identifier
            ~ ' no longer has.') %}
    {% endif %}
    {% set allowed = rows_of_query(
        'select feature from ' ~ ref('model_features') ~ ' where model_name = ' ~ text_literal(log.model_name)
    ) | map(attribute='feature') | list %}
    {% set refused = used | reject('in', allowed) | list %}
    {% if refused %}
        {% do stop(at ~ 'it uses ' ~ (refused | join(', ')) ~ ', which model_catalog.csv or feature_catalog.csv '
            ~ 'no longer allows.') %}
    {% endif %}
    {% set settings = rows_of_query('select * from ' ~ ref('run_context'))[0] %}
    {% for name, meant in fromjson(version.parameters).get('label_settings', {}).items() if name in settings %}
        {% if meant is none or settings[name] is none or meant | float != settings[name] | float %}
            {% do stop(at ~ 'it learned a label with ' ~ name ~ ' ' ~ meant ~ ', which is ' ~ settings[name]
                ~ ' now.') %}
        {% endif %}
    {% endfor %}
    {% set whole %}
        select count(*)
        from {{ log.relation }}
        where
            model_name = {{ text_literal(log.model_name) }}
            and decision_number = {{ version.decision_number }}
            and {{ bytes_sha256('artifact') }} = artifact_sha256
    {% endset %}
    {% if run_query(whole).rows[0][0] | int == 0 %}
        {% do stop(at ~ 'its stored model was changed after it was written; restore ' ~ log.relation.schema ~ '.'
            ~ log.relation.identifier ~ ' from a backup.') %}
    {% endif %}
{% endmacro %}

{#
  Appends one decision that a person made: `version` serves after it. What the version was learned from is
  told again, as in the rows of builds; nothing was measured, so no metric is claimed.
#}
{% macro append_decision(log, decision, version, reason) %}
    {% set told = [
        'model_name', 'model_version', 'train_from_on', 'train_to_on', 'validation_from_on', 'validation_to_on',
        'train_rows', 'train_positives', 'train_effective_rows', 'validation_rows', 'validation_positives',
        'training_set_hash', 'label_definition_version', 'parameters', 'feature_names', 'primary_metric',
        'threshold', 'library_versions',
    ] %}
    {% set number = log.newest.decision_number | int + 1 %}
    {% set own = {
        'model_run_id': text_literal(log.model_name ~ '-' ~ number),
        'decision_number': number,
        'decided_at': load_started_at(),
        'decision': text_literal(decision),
        'reason': text_literal(reason),
        'is_champion': 'true',
        'test_rows': 0,
        'test_positives': 0,
    } %}
    {% set insert %}
        insert into {{ log.relation }} ({{ (told + own.keys() | list) | join(', ') }})
        select {{ (told + own.values() | list) | join(', ') }}
        from {{ log.relation }}
        where
            model_name = {{ text_literal(log.model_name) }}
            and decision_number = {{ version.decision_number }}
    {% endset %}
    {% do lock_between_builds() %}
    {% set newest = run_query(
        'select max(decision_number) from ' ~ log.relation ~ ' where model_name = ' ~ text_literal(log.model_name)
    ).rows[0][0] | int %}
    {% if newest == number - 1 %}
        {% do run_query(insert) %}
        {% do commit_change() %}
    {% endif %}
    {% do unlock_between_builds() %}
    {% if newest != number - 1 %}
        {% do stop('A build has decided about ' ~ log.model_name ~ ' meanwhile; look at model_runs and try again.') %}
    {% endif %}
{% endmacro %}
