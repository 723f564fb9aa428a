{#
  One end of the 95 % interval of a mean of `count` values, from their sum and their sum of squares, by
  the normal approximation; null with fewer than two. Sums are of decimals: those of doubles would
  depend on the order of rows.
  edge: low | high. design_effect: how many times as large the variance is because values are alike.
#}
{% macro mean_interval(total, squares, count, edge, design_effect=1) -%}
    cast({{ total }} as double) / nullif({{ count }}, 0)
    {{ '-' if edge == 'low' else '+' }} 1.959963984540054 * sqrt(
        {{ squared_error(total, squares, count) }}{{ ' * ' ~ design_effect if design_effect != 1 }}
    )
{%- endmacro %}

{# The square of a mean's standard error; null of fewer than two values. #}
{% macro squared_error(total, squares, count) -%}
    greatest(
        cast({{ squares }} as double)
        - cast({{ total }} as double) * cast({{ total }} as double) / nullif({{ count }}, 0),
        0
    ) / nullif({{ count }} - 1, 0) / nullif({{ count }}, 0)
{%- endmacro %}
