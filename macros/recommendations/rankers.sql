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
