{#
  A post-hook of incremental Python models: drops the tables that they merged from, all that this
  model ever left, those of a build that was killed included.
#}
{% macro drop_python_leftovers(relation) %}
    {{ return(adapter.dispatch('drop_python_leftovers')(relation)) }}
{% endmacro %}

{% macro default__drop_python_leftovers(relation) %}
    {{ exceptions.raise_compiler_error('drop_python_leftovers is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# dbt-duckdb leaves one behind at every build. #}
{% macro duckdb__drop_python_leftovers(relation) %}
    {% if is_building() %}
        {% set prefix = relation.identifier | lower ~ '__dbt_tmp' %}
        {% set leftovers %}
            select table_schema, table_name
            from information_schema.tables
            where
                lower(table_catalog) = '{{ relation.database | lower }}'
                and left(lower(table_name), {{ prefix | length }}) = '{{ prefix }}'
        {% endset %}
        {% for row in run_query(leftovers).rows %}
            {% do adapter.drop_relation(
                api.Relation.create(
                    database=relation.database, schema=row[0], identifier=row[1], type='table'
                )
            ) %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{#
  Nothing to do, and no statement to pay for: dbt-snowflake makes that table temporary and drops it,
  and a session that is killed takes its temporary tables along:
  https://docs.snowflake.com/en/user-guide/tables-temp-transient
#}
{% macro snowflake__drop_python_leftovers(relation) %}{% endmacro %}
