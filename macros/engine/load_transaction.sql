{#
  Everything between these two is kept or nothing is. The transaction is opened and closed by name:
  dbt's own (`auto_begin`) can be switched off in a profile.
#}
{% macro begin_load() %}
    {{ return(adapter.dispatch('begin_load')()) }}
{% endmacro %}

{% macro default__begin_load() %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__begin_load() %}
    {% do run_query('begin transaction') %}
{% endmacro %}

{% macro commit_load() %}
    {{ return(adapter.dispatch('commit_load')()) }}
{% endmacro %}

{% macro default__commit_load() %}
    {{ exceptions.raise_compiler_error('commit_load is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__commit_load() %}
    {% for table in ['loading_lines', 'loading_records', 'loading_rows', 'loading_typed'] %}
        {% do run_query('drop table if exists temp.' ~ table) %}
    {% endfor %}
    {% do run_query('commit') %}
{% endmacro %}
