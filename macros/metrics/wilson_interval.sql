{#
  One end of the 95 % interval of a share, `positives` of `total`; null where there is nothing to
  count. Wilson's score interval (1927): unlike the normal approximation it stays within 0 and 1 and
  holds for few rows and for shares near 0 and 1 (Brown, Cai and DasGupta, Statistical Science, 2001).
  edge: low | high. design_effect: how many times as large the variance is because rows are alike; the number of rows
  is smaller by it (Dean and Pagano, Evaluating confidence interval methods for binomial proportions in clustered
  surveys, Journal of Survey Statistics and Methodology, 2015).
#}
{% macro wilson_interval(positives, total, edge, design_effect=1) %}
{%- if design_effect != 1 -%}
    {% set positives, total = '(' ~ positives ~ ' / ' ~ design_effect ~ ')', '(' ~ total ~ ' / ' ~ design_effect ~ ')' %}
{%- endif -%}
{%- set z = 1.959963984540054 -%}
(
    {{ positives }} + {{ z * z / 2 }}
    {{ '-' if edge == 'low' else '+' }} {{ z }} * sqrt(
        cast({{ positives }} as double) * ({{ total }} - {{ positives }}) / nullif({{ total }}, 0) + {{ z * z / 4 }}
    )
) / ({{ total }} + {{ z * z }})
{%- endmacro %}
