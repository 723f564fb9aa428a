{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['model_name', 'model_version', 'window_start_on'],
    on_schema_change='append_new_columns',
) }}

-- Bins of a number at most: ten by quantiles, one more at a split.
{% set bin_count = 11 %}

with

windows as (

    select * from {{ ref('monitored_windows') }}

),

due as (

    select windows.*
    from windows
    {% if is_incremental() %}
    left join (
        select distinct
            model_name,
            model_version,
            window_start_on,
            rows_hash
        from {{ this }}
    ) as counted
        on
            windows.model_name = counted.model_name
            and windows.model_version = counted.model_version
            and windows.window_start_on = counted.window_start_on
    where windows.rows_hash is distinct from counted.rows_hash
    {% endif %}

),

{% for task in monitored_tasks() %}
{% set columns = monitored_columns(task) %}
{% set numbers = columns.number + ['score'] %}
-- The edges as columns of one row per version: a row is put into its bins in one scan.
{{ task.task_name }}_edges as (

    select
        model_name,
        model_version
        {% for column in numbers %}
        {% for number in range(bin_count) %}
        , coalesce(
            max(case when column_name = '{{ column }}' and bin = {{ number }} then upper_edge end),
            cast('inf' as double)
        ) as {{ column }}_{{ number }}
        {% endfor %}
        {% endfor %}
    from {{ ref('profile_bins') }}
    where task_name = '{{ task.task_name }}'
    group by model_name, model_version

),

{{ task.task_name }}_rows as (

    select
        due.model_name,
        due.model_version,
        due.window_start_on,
        due.rows_hash,
        scored.sample_role = 'new' as is_new,
        scored.is_positive,
        -- Decimals: the sum of doubles would depend on the order of rows.
        cast(scored.score as decimal(18, 12)) as expected,
        cast(scored.score * (1 - scored.score) as decimal(18, 12)) as variance,
        cast(
            power(scored.score - case when scored.is_positive then 1 else 0 end, 2) as decimal(18, 12)
        ) as squared_error,
        cast(scored.score * (1 - scored.score) * power(1 - 2 * scored.score, 2) as decimal(18, 12)) as error_variance
        {% for column in numbers %}
        , case
            {% for number in range(bin_count) %}
            when {{ 'scored' if column == 'score' else 'features' }}.{{ column }} <= edges.{{ column }}_{{ number }} then {{ number }}
            {% endfor %}
            else -1
        end as {{ column }}
        {% endfor %}
        {% for column in columns.level %}
        , cast(features.{{ column }} as {{ api.Column.translate_type('string') }}) as {{ column }}
        {% endfor %}
    from {{ ref('scored_rows') }} as scored
    inner join {{ task.features }} as features on {{ task.join }}
    inner join due
        on
            scored.model_name = due.model_name
            and scored.model_version = due.model_version
            and {{ monitoring_window('scored.as_of_on') }} = due.window_start_on
    inner join {{ task.task_name }}_edges as edges
        on scored.model_name = edges.model_name and scored.model_version = edges.model_version
    where
        scored.task_name = '{{ task.task_name }}'
        and scored.sample_role in ('validation', 'test', 'new')

),

{{ task.task_name }}_counted as (

    select
        model_name,
        model_version,
        window_start_on,
        rows_hash,
        is_new,
        case
            {% for column in numbers + columns.level %}
            when grouping({{ column }}) = 0 then '{{ column }}'
            {% endfor %}
        end as column_name,
        case
            {% for column in numbers %}
            when grouping({{ column }}) = 0 then {{ column }}
            {% endfor %}
        end as bin,
        {% if columns.level %}
        case
            {% for column in columns.level %}
            when grouping({{ column }}) = 0 then {{ column }}
            {% endfor %}
        end
        {% else %}
        cast(null as {{ api.Column.translate_type('string') }})
        {% endif %}
        as category,
        count(*) as row_count,
        count(is_positive) as matured_rows,
        count(case when is_positive then 1 end) as positives,
        sum(case when is_positive is not null then expected end) as expected_positives,
        sum(case when is_positive is not null then variance end) as variance,
        sum(case when is_positive is not null then squared_error end) as squared_error,
        sum(case when is_positive is not null then error_variance end) as error_variance
    from {{ task.task_name }}_rows
    group by grouping sets (
        {% for column in numbers + columns.level %}
        (model_name, model_version, window_start_on, rows_hash, is_new, {{ column }}),
        {% endfor %}
        (model_name, model_version, window_start_on, rows_hash, is_new)
    )

){{ ',' if not loop.last }}
{% endfor %}

{% for task in monitored_tasks() %}
select * from {{ task.task_name }}_counted
{{ 'union all' if not loop.last }}
{% endfor %}
