{#
  The run log: what each run that builds did, one row for each of its nodes and one for the run itself.
  Rows are only ever added, by the last hook before the build lock is given back, also of a failed run;
  those older than `run_log_days` are deleted there. `pipeline_runs` shows it.
#}

{# The table that is the log. #}
{% macro run_log() %}
    {% do return(api.Relation.create(
        database=target.database, schema=generate_schema_name('internal', none), identifier='run_log'
    )) %}
{% endmacro %}

{# Name and type of each column of the log, a list of pairs. #}
{% macro run_log_columns() %}
    {% set text = api.Column.translate_type('string') %}
    {% do return([
        ('invocation_id', text), ('run_started_at', 'timestamp'), ('node', text), ('resource_type', text),
        ('status', text), ('rows_affected', 'bigint'), ('started_at', 'timestamp'), ('seconds', 'double'),
        ('message', text), ('row_count', 'bigint'),
    ]) %}
{% endmacro %}

{#
  A hook at the start of a run that builds: makes the place for what is no model's, so that the views
  over it can be built before the first run has ended.
#}
{% macro prepare_monitoring() %}
    {% if is_building() %}
        {% set columns = [] %}
        {% for name, type in run_log_columns() %}{% do columns.append(name ~ ' ' ~ type) %}{% endfor %}
        {% do run_query('create schema if not exists ' ~ run_log().without_identifier()) %}
        {% do run_query('create table if not exists ' ~ run_log() ~ ' (' ~ columns | join(', ') ~ ')') %}
        {# A log that was made before there were counts; any other one is left alone. #}
        {% if columns_of_run_log() == run_log_columns()[:-1] | map('first') | list %}
            {% do run_query('alter table ' ~ run_log() ~ ' add column row_count bigint') %}
        {% endif %}
        {% do run_query(
            'create table if not exists ' ~ sent_alerts() ~ ' (alert_id ' ~ api.Column.translate_type('string')
            ~ ', sent_at timestamp)'
        ) %}
        {% do keep_statements() %}
    {% endif %}
{% endmacro %}

{#
  A hook at the end of a run that builds. It never makes a run fail that had passed: a log that some
  other hand has changed is left alone with a word, and a statement that the engine refuses is passed
  over where the engine has words for that (add_to_run_log).

  results: dbt's results of the run.
#}
{% macro write_run_log(results) %}
    {% if is_building() %}
        {% set expected = run_log_columns() | map('first') | list %}
        {% set present = columns_of_run_log() %}
        {% if present != expected %}
            {# Not exceptions.warn, which `--warn-error` makes an error. #}
            {% do log(
                'The run log ' ~ run_log() ~ ' does not have the columns ' ~ (expected | join(', '))
                ~ ': this run is not logged. Rename that table; the next build makes a new one.', info=true
            ) %}
        {% else %}
            {% for statement in run_log_statements(results or []) %}{% do add_to_run_log(statement) %}{% endfor %}
            {% do keep_statements() %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# The log's columns as they are, in their order; dbt does not know of a table that a hook made. #}
{% macro columns_of_run_log() %}
    {% set columns %}
        select lower(column_name)
        from information_schema.columns
        where
            lower(table_catalog) = '{{ run_log().database | lower }}'
            and lower(table_schema) = '{{ run_log().schema | lower }}'
            and lower(table_name) = 'run_log'
        order by ordinal_position
    {% endset %}
    {% do return(run_query(columns).columns[0].values() | list) %}
{% endmacro %}

{#
  The statements that log a run: one that deletes what is too old, and one insert for every 500 rows,
  few enough for any engine to read in one piece.

  results: dbt's results of the run.
#}
{% macro run_log_statements(results) %}
    {% set statements = [] %}
    {% if setting_value('run_log_days') is not none %}
        {% set oldest = run_started_at - modules.datetime.timedelta(days=setting_value('run_log_days')) %}
        {% do statements.append(
            'delete from ' ~ run_log() ~ ' where run_started_at < ' ~ log_literal(oldest.strftime('%Y-%m-%d %H:%M:%S'), 'timestamp')
        ) %}
    {% endif %}
    {% set rows = [run_log_values(run_result(results))] %}
    {% set counts = row_counts(built_relations(results)) %}
    {% for result in results %}{% do rows.append(run_log_values(node_result(result, counts))) %}{% endfor %}
    {% for chunk in rows | batch(500) %}
        {% do statements.append(
            'insert into ' ~ run_log() ~ ' (' ~ run_log_columns() | map('first') | join(', ') ~ ') values '
            ~ chunk | join(', ')
        ) %}
    {% endfor %}
    {% do return(statements) %}
{% endmacro %}

{# What is logged of the run itself: the command, never its arguments, which may hold anything. #}
{% macro run_result(results) %}
    {% set failed = results | map(attribute='status') | map('string')
        | select('in', ['error', 'fail', 'runtime error', 'partial success']) | list %}
    {% set seconds = (modules.datetime.datetime.now(modules.pytz.utc) - run_started_at).total_seconds() %}
    {% do return({
        'node': 'invocation', 'resource_type': 'invocation', 'status': 'error' if failed else 'success',
        'rows_affected': none, 'started_at': run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f'),
        'seconds': seconds, 'message': 'dbt ' ~ flags.WHICH, 'row_count': none,
    }) %}
{% endmacro %}

{# The relations of the models, seeds and snapshots that a run built, by their dbt ids. #}
{% macro built_relations(results) %}
    {% set relations = {} %}
    {% set kinds = ['model', 'seed', 'snapshot'] %}
    {% for result in results if result.status | string == 'success' and result.node.resource_type | string in kinds %}
        {% do relations.update({result.node.unique_id: api.Relation.create(
            database=result.node.database, schema=result.node.schema, identifier=result.node.alias
        )}) %}
    {% endfor %}
    {% do return(relations) %}
{% endmacro %}

{#
  What is logged of a node.

  counts: the rows of each table that was built, by the node's dbt id.
#}
{% macro node_result(result, counts) %}
    {% set rows = (result.adapter_response or {}).get('rows_affected') %}
    {% set started = result.timing[0].started_at if result.timing else none %}
    {% do return({
        'node': result.node.unique_id, 'resource_type': result.node.resource_type | string,
        'status': result.status | string, 'rows_affected': rows if rows is number and rows >= 0 else none,
        'started_at': started.strftime('%Y-%m-%d %H:%M:%S.%f') if started else none,
        'seconds': result.execution_time, 'message': log_message(result),
        'row_count': counts.get(result.node.unique_id),
    }) %}
{% endmacro %}

{# A row of the log as SQL. #}
{% macro run_log_values(entry) %}
    {% do entry.update({
        'invocation_id': invocation_id, 'run_started_at': run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f'),
    }) %}
    {% set values = [] %}
    {% for name, type in run_log_columns() %}{% do values.append(log_literal(entry[name], type)) %}{% endfor %}
    {% do return('(' ~ values | join(', ') ~ ')') %}
{% endmacro %}

{#
  A value as a literal. A text keeps letters, digits and what the names of nodes and the words of engines
  need: neither a quote nor a backslash nor a semicolon, so that it ends where it should on every engine.
#}
{% macro log_literal(value, type) %}
    {% if value is none %}
        {% do return('null') %}
    {% elif type in ('bigint', 'double') %}
        {% do return(value | string) %}
    {% endif %}
    {% set text = "'" ~ modules.re.sub('[^A-Za-z0-9 _.,:()<>=!+*/-]', '', value | string)[:300] ~ "'" %}
    {% do return('cast(' ~ text ~ ' as timestamp)' if type == 'timestamp' else text) %}
{% endmacro %}

{#
  What a result says, without the shop's rows: an engine's error quotes the value that it could not
  cast. Of an error only its kinds stay, such as `Database Error, Conversion Error` or Snowflake's
  number; logs/dbt.log has the rest.
#}
{% macro log_message(result) %}
    {% set message = result.message | string if result.message is not none else '' %}
    {% set status = result.status | string %}
    {% if status not in ('error', 'runtime error', 'partial success') %}
        {% do return(message if status != 'skipped' else none) %}
    {% endif %}
    {% set kinds = modules.re.findall(
        '(?:Runtime|Database|Compilation|Conversion|Binder|Parser|Catalog|Constraint|Invalid Input|Out of Range'
        ~ '|Out of Memory|IO|Internal|Fatal|Transaction|Dependency|Permission|Syntax|Not implemented) (?:Error|error)'
        ~ '|SQL (?:compilation|execution|access control) error|[0-9]{6} .[0-9A-Z]{5}.(?=:)'
        ~ '|(?m:^) *[A-Za-z_.]+(?:Error|Exception)(?=:)',
        message
    ) %}
    {% set distinct_kinds = kinds | map('trim') | unique | list %}
    {% do return(distinct_kinds | join(', ') or 'error') %}
{% endmacro %}
