{#
  A value is present in every row for which a condition is true; elsewhere it may be null.

  condition: a SQL expression over the row.
#}
{% test not_null_where(model, column_name, condition) %}
    select *
    from {{ model }}
    where {{ column_name }} is null and ({{ condition }})
{% endtest %}
