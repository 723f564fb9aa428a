{#
  One end of the 95 % interval of a mean of `count` values, from their sum and their sum of squares, by
  the normal approximation; null with fewer than two. Sums are of decimals: those of doubles would
  depend on the order of rows.
  edge: low | high.
#}
{% macro mean_interval(total, squares, count, edge) -%}
    cast({{ total }} as double) / nullif({{ count }}, 0)
    {{ '-' if edge == 'low' else '+' }} 1.959963984540054 * sqrt({{ squared_error(total, squares, count) }})
{%- endmacro %}

{# The square of a mean's standard error; null of fewer than two values. #}
{% macro squared_error(total, squares, count) -%}
    greatest(
        cast({{ squares }} as double)
        - cast({{ total }} as double) * cast({{ total }} as double) / nullif({{ count }}, 0),
        0
    ) / nullif({{ count }} - 1, 0) / nullif({{ count }}, 0)
{%- endmacro %}
