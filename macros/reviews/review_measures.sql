{#
  What is counted of reviews, as columns of an aggregate over rows of review_facts. Sums are of whole
  numbers: those of doubles would depend on the order of rows.
#}
{% macro review_measures() -%}
    count(*) as review_count,
    count(rating) as rated_count,
    sum(rating) as rating_total,
    sum(rating * rating) as rating_squares,
    count(sentiment_label) as scored_count,
    count(case when sentiment_label = 'positive' then 1 end) as positive_count,
    count(case when sentiment_label = 'negative' then 1 end) as negative_count
{%- endmacro %}
