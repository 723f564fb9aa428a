{#
  One end of the 95 % interval of the difference of two means, of their sums, sums of squares and counts,
  by the normal approximation (Welch); null where either has fewer than two values. Sums are of decimals
  or whole numbers: those of doubles would depend on the order of rows.
  edge: low | high.
#}
{% macro mean_difference_interval(total, squares, count, past_total, past_squares, past_count, edge) -%}
    cast({{ total }} as double) / nullif({{ count }}, 0) - cast({{ past_total }} as double) / nullif({{ past_count }}, 0)
    {{ '-' if edge == 'low' else '+' }} 1.959963984540054 * sqrt(
        {{ squared_error(total, squares, count) }}
        + {{ squared_error(past_total, past_squares, past_count) }}
    )
{%- endmacro %}

{#
  One end of the 95 % interval of the difference of two shares, from Wilson's intervals of each (Newcombe,
  Statistics in Medicine, 1998, method 10); null where either is of nothing.
  edge: low | high.
#}
{% macro share_difference_interval(positives, total, past_positives, past_total, edge) -%}
{%- set share = 'cast(' ~ positives ~ ' as double) / nullif(' ~ total ~ ', 0)' -%}
{%- set past_share = 'cast(' ~ past_positives ~ ' as double) / nullif(' ~ past_total ~ ', 0)' -%}
{%- set other = 'high' if edge == 'low' else 'low' -%}
    {{ unpaired_difference_interval(
        share,
        wilson_interval(positives, total, edge),
        past_share,
        wilson_interval(past_positives, past_total, other),
        edge
    ) }}
{%- endmacro %}

{#
  One end of the 95 % interval of `one - other`, which were measured on different rows, from the interval of each
  (MOVER: Zou and Donner, Statistics in Medicine, 2008): this end of the one, the opposite end of the other. Null where
  any is. In Python: `metrics.unpaired_difference`.
  edge: low | high.
#}
{% macro unpaired_difference_interval(one, one_end, other, other_end, edge) -%}
    {{ one }} - {{ other }}
    {{ '-' if edge == 'low' else '+' }} sqrt(power({{ one }} - {{ one_end }}, 2) + power({{ other }} - {{ other_end }}, 2))
{%- endmacro %}
