{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['model_name', 'model_version', 'window_start_on'],
    on_schema_change='append_new_columns',
) }}

{% set windows = ref('monitored_windows') %}
{% set versions = due_versions(windows, this if is_incremental() else none) %}
{% set text = api.Column.translate_type('string') %}

with

windows as (

    select * from {{ windows }}

),

{% for version in versions %}
{% set task, numbers, levels = version.task, version.columns.number, version.columns.level %}
{% set levels = levels | reject('equalto', 'label') | list %}
rows_{{ loop.index }} as (

    select
        {{ window_start('scored.as_of_on') }} as window_start_on,
        scored.sample_role = 'new' as is_new,
        scored.is_positive,
        -- Decimals: the sum of doubles would depend on the order of rows.
        cast(scored.score as decimal(18, 12)) as expected,
        cast(scored.score * (1 - scored.score) as decimal(18, 12)) as variance,
        cast(
            power(scored.score - case when scored.is_positive then 1 else 0 end, 2) as decimal(18, 12)
        ) as squared_error,
        cast(scored.score * (1 - scored.score) * power(1 - 2 * scored.score, 2) as decimal(18, 12)) as error_variance
        {% for column, upper_edges in numbers.items() %}
        , {{ number_bin(('scored.' if column == 'score' else 'features.') ~ column, upper_edges) }} as {{ column }}
        {% endfor %}
        {% for column in levels %}
        , cast(features.{{ column }} as {{ text }}) as {{ column }}
        {% endfor %}
    from {{ task.scored }} as scored
    inner join {{ task.features }} as features on {{ task.join }}
    where
        scored.task_name = '{{ task.task_name }}'
        and scored.model_name = '{{ version.model_name }}'
        and scored.model_version = '{{ version.model_version }}'
        and scored.sample_role in ('validation', 'test', 'new')
        and {{ window_start('scored.as_of_on') }} in ({{ version.windows | join(', ') }})

),

counted_{{ loop.index }} as (

    select
        '{{ version.model_name }}' as model_name,
        '{{ version.model_version }}' as model_version,
        window_start_on,
        is_new,
        case
            {% for column in numbers.keys() | list + levels %}
            when grouping({{ column }}) = 0 then '{{ column }}'
            {% endfor %}
        end as column_name,
        case
            {% for column in numbers %}
            when grouping({{ column }}) = 0 then {{ column }}
            {% endfor %}
        end as bin,
        {% if levels %}
        case
            {% for column in levels %}
            when grouping({{ column }}) = 0 then {{ column }}
            {% endfor %}
        end as category,
        {% else %}
        cast(null as {{ text }}) as category,
        {% endif %}
        count(*) as row_count,
        count(is_positive) as matured_rows,
        count(case when is_positive then 1 end) as positives,
        sum(case when is_positive is not null then expected end) as expected_positives,
        sum(case when is_positive is not null then variance end) as variance,
        sum(case when is_positive is not null then squared_error end) as squared_error,
        sum(case when is_positive is not null then error_variance end) as error_variance
    from rows_{{ loop.index }}
    group by grouping sets (
        {% for column in numbers.keys() | list + levels %}
        (window_start_on, is_new, {{ column }}),
        {% endfor %}
        (window_start_on, is_new)
    )

),
{% endfor %}

counted as (

    {% for version in versions %}
    select * from counted_{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {% else %}
    -- Nothing is due.
    select
        cast(null as {{ text }}) as model_name,
        cast(null as {{ text }}) as model_version,
        cast(null as date) as window_start_on,
        cast(null as boolean) as is_new,
        cast(null as {{ text }}) as column_name,
        cast(null as integer) as bin,
        cast(null as {{ text }}) as category,
        cast(null as bigint) as row_count,
        cast(null as bigint) as matured_rows,
        cast(null as bigint) as positives,
        cast(null as decimal(38, 12)) as expected_positives,
        cast(null as decimal(38, 12)) as variance,
        cast(null as decimal(38, 12)) as squared_error,
        cast(null as decimal(38, 12)) as error_variance
    {% endfor %}

)

select
    counted.model_name,
    counted.model_version,
    counted.window_start_on,
    windows.rows_hash,
    counted.is_new,
    counted.column_name,
    counted.bin,
    counted.category,
    counted.row_count,
    counted.matured_rows,
    counted.positives,
    counted.expected_positives,
    counted.variance,
    counted.squared_error,
    counted.error_variance
from counted
inner join windows
    on
        counted.model_name = windows.model_name
        and counted.model_version = windows.model_version
        and counted.window_start_on = windows.window_start_on
