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

{% for task in monitored_tasks() %}
{{ task.task_name }}_versions as (

    -- The same trees can be trained twice, then under the same version; the newest decision counts.
    select
        trained.model_name,
        trained.model_version,
        trained.train_to_on,
        trained.profile
    from {{ task.trained }} as trained
    where trained.profile is not null
    qualify
        row_number() over (
            partition by trained.model_name, trained.model_version
            order by trained.decision_number desc nulls last
        ) = 1

),
{% endfor %}

versions as (

    {% for task in monitored_tasks() %}
    select
        '{{ task.task_name }}' as task_name,
        *
    from {{ task.task_name }}_versions
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

{{ json_list_rows('versions', 'profile', ['task_name', 'model_name', 'model_version', 'train_to_on'], fields) }}
