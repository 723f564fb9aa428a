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

    {{ stored_profiles(['train_to_on', 'profile']) }}

)

{{ json_list_rows('versions', 'profile', ['task_name', 'model_name', 'model_version', 'train_to_on'], fields) }}
