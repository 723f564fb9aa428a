{% for task in tuned_tasks() %}
select
    model_name,
    study_number,
    study_id,
    trial_number,
    tuned_at,
    state,
    is_best,
    parameters,
    primary_metric,
    value,
    fold_values,
    fold_rounds,
    folds,
    training_set_hash,
    library_versions
from {{ stored_trials(task) }}
{{ 'union all' if not loop.last }}
{% endfor %}
