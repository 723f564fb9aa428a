{#
  A Python model has left no temporary table behind: fails with each table of its database whose
  name begins with the model's and goes on with `__dbt_tmp`.
#}
{% test leaves_no_temporary_tables(model) %}
    {%- set prefix = model.identifier | lower ~ '__dbt_tmp' %}
    select
        table_schema,
        table_name
    from information_schema.tables
    where
        lower(table_catalog) = '{{ model.database | lower }}'
        and left(lower(table_name), {{ prefix | length }}) = '{{ prefix }}'
{% endtest %}
