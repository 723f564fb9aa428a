{% set measured = [
    'roc_auc', 'pr_auc', 'f1', 'brier', 'precision', 'recall', 'accuracy', 'mcc', 'log_loss',
    'constant_f1', 'constant_pr_auc', 'constant_brier', 'best_single_feature_roc_auc',
    'best_single_feature_pr_auc', 'lead_over_constant', 'lead_over_best_single_feature',
    'lead_over_champion',
] %}

select
    model_run_id,
    test_rows,
    test_positives,
    {{ measured | join(',\n    ') }}
from {{ ref('model_runs') }}
where
    (test_rows = 0 and coalesce({{ measured | join(', ') }}) is not null)
    or (test_positives in (0, test_rows) and coalesce(roc_auc, pr_auc) is not null)
