{#
  Around all that a run-operation does that changes a table: on DuckDB a change is gone at the end unless it was
  committed. The transaction is opened and closed by name: dbt's own can be switched off in a profile.
#}
{% macro begin_change() %}
    {{ return(adapter.dispatch('begin_change')()) }}
{% endmacro %}

{% macro default__begin_change() %}
    {{ exceptions.raise_compiler_error('The project is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__begin_change() %}
    {% do run_query('begin transaction') %}
{% endmacro %}

{# One statement is one transaction: https://docs.snowflake.com/en/sql-reference/transactions#autocommit #}
{% macro snowflake__begin_change() %}{% endmacro %}

{% macro commit_change() %}
    {{ return(adapter.dispatch('commit_change')()) }}
{% endmacro %}

{% macro default__commit_change() %}
    {{ exceptions.raise_compiler_error('The project is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__commit_change() %}
    {% do run_query('commit') %}
{% endmacro %}

{% macro snowflake__commit_change() %}{% endmacro %}
