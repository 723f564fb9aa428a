-- The bins of every version, as training stored them.
{% set fields = {
    'column_name': 'varchar',
    'kind': 'varchar',
    'bin': 'integer',
    'upper_edge': 'double',
    'category': 'varchar',
    'mean_value': 'double',
    'reference_rows': 'bigint',
    'test_rows': 'bigint',
    'test_squared_error': 'double',
} %}

with

versions as (

    {{ stored_profiles([
        'train_to_on',
        'coalesce(cast(train_rows as double) / nullif(train_effective_rows, 0), 1) as train_design_effect',
        'coalesce(cast(test_rows as double) / nullif(test_effective_rows, 0), 1) as test_design_effect',
        'profile',
    ]) }}

)

{% set kept = [
    'task_name', 'model_name', 'model_version', 'train_to_on', 'train_design_effect', 'test_design_effect',
] %}
{{ json_list_rows('versions', 'profile', kept, fields) }}
