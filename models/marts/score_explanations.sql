{% for explanations in [ref('churn_explanations'), ref('purchase_intent_explanations')] %}
select
    model_name,
    model_version,
    entity_id,
    as_of_on,
    rank,
    feature,
    feature_value,
    contribution
from {{ explanations }}
{{ 'union all' if not loop.last }}
{% endfor %}
