{#
  An expression is true in every row. Null passes, as in a check constraint: where null is no
  answer, write the expression with `is distinct from`, or test `not_null` too.

  expression: a SQL expression over the row.
#}
{% test expression_is_true(model, expression) %}
    select *
    from {{ model }}
    where not ({{ expression }})
{% endtest %}
