{% for evaluated in [ref('churn_evaluated'), ref('purchase_intent_evaluated')] %}
select
    model_name,
    protocol,
    seed,
    fold,
    test_from_on,
    test_to_on,
    train_rows,
    validation_rows,
    test_rows,
    test_positives,
    boosting_rounds,
    {% for metric in ['roc_auc', 'pr_auc', 'f1', 'brier'] -%}
    {{ metric }},
    {{ metric }}_low,
    {{ metric }}_high,
    {% endfor -%}
    best_single_feature,
    best_single_feature_roc_auc,
    best_single_feature_pr_auc,
    lead_over_best_single_feature,
    lead_over_best_single_feature_low,
    lead_over_best_single_feature_high
from {{ evaluated }}
where baseline is null and left_out is null
{{ 'union all' if not loop.last }}
{% endfor %}
