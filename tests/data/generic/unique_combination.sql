{#
  The columns together are a key: fails with every combination that stands in several rows. Null
  counts as a value, so two rows that lack the same part of the key fail too.

  columns: names of the columns, a list.
#}
{% test unique_combination(model, columns) %}
    {%- set key = columns | join(', ') %}
    select
        {{ key }},
        count(*) as row_count
    from {{ model }}
    group by {{ key }}
    having count(*) > 1
{% endtest %}
