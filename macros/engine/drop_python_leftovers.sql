{#
  A post-hook: an incremental Python model leaves the table that it merged from behind, on DuckDB
  and on Snowflake (dbt-adapters issue 1928). Drops all that this model ever left, those of a build
  that was killed included.
#}
{% macro drop_python_leftovers(relation) %}
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
