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

{# Ends a transaction that dbt may have begun: it rolls back after the last hook. #}
{% macro keep_statements() %}
    {{ return(adapter.dispatch('keep_statements')()) }}
{% endmacro %}

{% macro default__keep_statements() %}{% endmacro %}

{% macro duckdb__keep_statements() %}
    {% do adapter.commit() %}
{% endmacro %}
