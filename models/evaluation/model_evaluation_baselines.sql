{% for evaluated in [ref('churn_evaluated'), ref('purchase_intent_evaluated')] %}
select
    model_name,
    protocol,
    seed,
    fold,
    baseline,
    test_rows,
    test_positives,
    roc_auc,
    pr_auc,
    lead_over_baseline,
    lead_over_baseline_low,
    lead_over_baseline_high
from {{ evaluated }}
where baseline is not null
{{ 'union all' if not loop.last }}
{% endfor %}
