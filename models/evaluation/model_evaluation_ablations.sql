{% for evaluated in [ref('churn_evaluated'), ref('purchase_intent_evaluated')] %}
select
    model_name,
    protocol,
    seed,
    fold,
    left_out,
    test_rows,
    test_positives,
    roc_auc,
    pr_auc,
    lead_over_baseline as gain,
    lead_over_baseline_low as gain_low,
    lead_over_baseline_high as gain_high
from {{ evaluated }}
where left_out is not null
{{ 'union all' if not loop.last }}
{% endfor %}
