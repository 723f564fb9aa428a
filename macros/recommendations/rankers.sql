{#
  The rules that the model is compared with, and that serve where they are better: name, the candidate's
  column that a rule goes by, and what tells equals apart before the product's id does.
#}
{% macro ranking_rules() %}
    {% do return([
        ('own_history', 'own_order_count', '-own_days_since_last'),
        ('popularity', 'order_count_30d', 'null'),
        ('recent_popularity', 'order_count_7d', 'null'),
        ('co_purchase', 'co_purchase_score', 'null'),
        ('item_lift', 'co_purchase_lift', 'null'),
    ]) %}
{% endmacro %}

{# What rankings are measured on: a kind of item, and the condition under which an item is of it. #}
{% macro item_kinds() %}
    {% do return([('all', 'true'), ('repeat', 'is_owned'), ('new', 'not is_owned')]) %}
{% endmacro %}

{# The first so many places of a ranking, on which it is measured. #}
{% macro measured_places() %}
    {% do return(10) %}
{% endmacro %}

{# What the ranker of products may read of a candidate, in the order of the columns. #}
{% macro candidate_features() %}
    {% do return([
        'is_owned', 'own_order_count', 'own_order_count_90d', 'own_order_count_365d', 'own_order_share',
        'own_days_since_last', 'own_days_since_first', 'own_recency_in_gaps',
        'order_count_7d', 'order_count_30d', 'order_count_90d', 'order_count_365d', 'season_order_count',
        'order_share_30d', 'days_since_first_sold', 'days_since_last_sold', 'repeat_share',
        'segment_order_count', 'co_purchase_score', 'co_purchase_most', 'co_purchase_lift',
        'mean_price_amount', 'relative_price',
        'customer_order_count', 'customer_product_count', 'products_per_order', 'new_product_share',
        'days_since_last_order',
    ]) %}
{% endmacro %}
