{#
  Adds to the run log. A statement that fails must not make a run fail that had passed, and dbt's Jinja
  has no words for that, so the engine is asked for them.
#}
{% macro add_to_run_log(statement) %}
    {{ return(adapter.dispatch('add_to_run_log')(statement)) }}
{% endmacro %}

{% macro default__add_to_run_log(statement) %}
    {{ exceptions.raise_compiler_error('add_to_run_log is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{#
  DuckDB has none. What is left to fail is a database that takes no more rows at all, on which the build
  before would have failed.
#}
{% macro duckdb__add_to_run_log(statement) %}
    {% do run_query(statement) %}
{% endmacro %}

{#
  A block of Snowflake Scripting passes over what the statement raises:
  https://docs.snowflake.com/en/developer-guide/snowflake-scripting/exceptions
#}
{% macro snowflake__add_to_run_log(statement) %}
    {% set refused = run_query(
        'execute immediate $$ begin ' ~ statement ~ '; exception when other then return sqlerrm; end; $$'
    ).rows[0][0] %}
    {% if refused %}{% do log('This run is not logged in ' ~ run_log() ~ ': ' ~ refused, info=true) %}{% endif %}
{% endmacro %}

{#
  The rows that tables hold, by the ids that `relations` has them under: of all in one or two queries, so that a
  run ends as fast as before. A view, or what is not there, has none.
#}
{% macro row_counts(relations) %}
    {{ return(adapter.dispatch('row_counts')(relations)) }}
{% endmacro %}

{% macro default__row_counts(relations) %}
    {{ exceptions.raise_compiler_error('row_counts is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# A count of a table without a condition reads no row of it. #}
{% macro duckdb__row_counts(relations) %}
    {% set tables = [] %}
    {% for row in tables_of(relations, 'cast(null as bigint)') %}{% do tables.append((row[0], row[1])) %}{% endfor %}
    {% set counts = [] %}
    {% for id, relation in relations.items() if (relation.schema | lower, relation.identifier | lower) in tables %}
        {% do counts.append("select '" ~ id ~ "' as id, count(*) as row_count from " ~ relation) %}
    {% endfor %}
    {% set found = {} %}
    {% for row in (run_query(counts | join(' union all ')).rows if counts else []) %}
        {% do found.update({row[0]: row[1] | int}) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}

{# Snowflake keeps the count of each table: https://docs.snowflake.com/en/sql-reference/info-schema/tables #}
{% macro snowflake__row_counts(relations) %}
    {% set counts = {} %}
    {% for row in tables_of(relations, 'row_count') if row[2] is not none %}
        {% do counts.update({(row[0], row[1]): row[2] | int}) %}
    {% endfor %}
    {% set found = {} %}
    {% for id, relation in relations.items() %}
        {% do found.update({id: counts.get((relation.schema | lower, relation.identifier | lower))}) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}

{# Schema and name, in lower case, and `column` of the tables in the schemas of some relations; no views. #}
{% macro tables_of(relations, column) %}
    {% set schemas = [] %}
    {% for relation in relations.values() if "'" ~ relation.schema | lower ~ "'" not in schemas %}
        {% do schemas.append("'" ~ relation.schema | lower ~ "'") %}
    {% endfor %}
    {% if not schemas %}{% do return([]) %}{% endif %}
    {% do return(run_query(
        'select lower(table_schema), lower(table_name), ' ~ column ~ ' from information_schema.tables '
        ~ "where lower(table_catalog) = '" ~ run_log().database | lower ~ "' and table_type = 'BASE TABLE' "
        ~ 'and lower(table_schema) in (' ~ schemas | join(', ') ~ ')'
    ).rows) %}
{% endmacro %}

{# Ends a transaction that dbt may have begun: it rolls back after the last hook. #}
{% macro keep_statements() %}
    {{ return(adapter.dispatch('keep_statements')()) }}
{% endmacro %}

{% macro default__keep_statements() %}{% endmacro %}

{% macro duckdb__keep_statements() %}
    {% do adapter.commit() %}
{% endmacro %}
