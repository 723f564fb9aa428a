with

serving as (

    select * from {{ ref('serving_versions') }}

),

trained as (

    select * from {{ ref('model_runs') }}
    where decision in ('trained_promoted', 'trained_rejected')

)

select
    trained.model_name,
    trained.model_version,
    trained.leaking_features,
    trained.best_single_feature,
    trained.best_single_feature_roc_auc
from serving
inner join trained
    on serving.model_name = trained.model_name and serving.model_version = trained.model_version
left join {{ ref('model_features') }} as features
    on
        trained.model_name = features.model_name
        and trained.best_single_feature = features.feature
where
    trained.leaking_features is distinct from '[]'
    or (
        trained.best_single_feature_roc_auc > {{ setting('leak_roc_auc') }}
        and features.leak_reason is null
    )
