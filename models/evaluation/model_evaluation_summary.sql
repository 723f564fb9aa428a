{% set metrics = ['roc_auc', 'pr_auc', 'f1', 'brier'] %}

-- Folds of one seed are averaged first: they share their rows, seeds do not share their draws.
with

per_seed as (

    select
        model_name,
        protocol,
        case when protocol = 'random' then 'all folds' else fold end as tested_on,
        seed,
        {% for metric in metrics %}
        avg({{ metric }}) as {{ metric }},
        avg({{ metric }}_low) as {{ metric }}_low,
        avg({{ metric }}_high) as {{ metric }}_high,
        {% endfor %}
        sum(test_rows) as test_rows,
        sum(test_positives) as test_positives,
        avg(best_single_feature_roc_auc) as best_single_feature_roc_auc,
        avg(best_single_feature_pr_auc) as best_single_feature_pr_auc
    from {{ ref('model_evaluations') }}
    group by model_name, protocol, tested_on, seed

)

select
    model_name,
    protocol,
    tested_on,
    count(*) as seeds,
    max(test_rows) as test_rows,
    max(test_positives) as test_positives,
    {% for metric in metrics %}
    avg({{ metric }}) as {{ metric }},
    stddev_samp({{ metric }}) as {{ metric }}_seed_stddev,
    avg({{ metric }}_low) as {{ metric }}_low,
    avg({{ metric }}_high) as {{ metric }}_high,
    {% endfor %}
    avg(best_single_feature_roc_auc) as best_single_feature_roc_auc,
    avg(best_single_feature_pr_auc) as best_single_feature_pr_auc
from per_seed
group by model_name, protocol, tested_on
