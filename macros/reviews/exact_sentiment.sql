{#
  A sentiment as a decimal: sums of doubles would depend on the order of rows.
#}
{% macro exact_sentiment(score) -%}
    cast({{ score }} as decimal(18, 9))
{%- endmacro %}
