-- The ROC-AUC of a constant is not stored; there the stored lead alone decides.
select
    model_run_id,
    primary_metric,
    pr_auc,
    constant_pr_auc,
    f1,
    constant_f1,
    lead_over_constant_low,
    lead_over_best_single_feature,
    lead_over_best_single_feature_low,
    lead_over_champion_low
from {{ ref('model_runs') }}
where
    decision = 'trained_promoted'
    and not coalesce(
        lead_over_constant_low > 0
        and (
            lead_over_best_single_feature_low > 0
            -- Refused, it would leave a worse version serving.
            or (lead_over_best_single_feature > 0 and lead_over_champion_low > 0)
        )
        and case primary_metric
            when 'pr_auc' then pr_auc > constant_pr_auc
            when 'f1' then f1 > constant_f1
            else true
        end,
        false
    )
