-- Mature new rows of each version, by slice: what the scores expected beside what came.
{% set grain = ['model_name', 'model_version', 'window_start_on'] %}

with

stored as (

    {{ stored_profiles(['slices', 'validation_rows']) }}

),

slices as (

    {{ json_list_rows('stored', 'slices', ['model_name', 'model_version'], {
        'slice': 'varchar', 'column_name': 'varchar', 'first_bin': 'integer', 'last_bin': 'integer',
    }) }}

),

counted as (

    {{ bins_now() }}
    where bins.is_new and windows.judged_rows > 0

),

placed as (

    -- A level stands with its text; it is in a slice of its own.
    select
        counted.*,
        coalesce(counted.bin, profile.bin) as slice_bin
    from counted
    left join {{ ref('profile_bins') }} as profile
        on
            counted.model_name = profile.model_name
            and counted.model_version = profile.model_version
            and counted.column_name = profile.column_name
            and counted.category = profile.category

),

summed as (

    select
        slices.model_name,
        slices.model_version,
        placed.window_start_on,
        slices.slice,
        slices.column_name,
        sum(placed.row_count) as row_count,
        sum(placed.matured_rows) as matured_rows,
        sum(placed.positives) as positives,
        sum(placed.expected_positives) as expected_positives,
        sum(placed.variance) as variance,
        sum(placed.squared_error) as squared_error,
        sum(placed.error_variance) as error_variance
    from slices
    inner join placed
        on
            slices.model_name = placed.model_name
            and slices.model_version = placed.model_version
            and slices.column_name = placed.column_name
            and placed.slice_bin between slices.first_bin and slices.last_bin
    group by slices.model_name, slices.model_version, placed.window_start_on, slices.slice, slices.column_name

    union all

    select
        model_name,
        model_version,
        window_start_on,
        'all rows' as slice,
        cast(null as {{ api.Column.translate_type('string') }}) as column_name,
        row_count,
        matured_rows,
        positives,
        expected_positives,
        variance,
        squared_error,
        error_variance
    from counted
    where column_name is null

),

-- Fewer than three rows of variance, and the normal approximation calls chance a fault. The version's own
-- calibration was found on so many validation rows and is uncertain, too, as in measure_calibration; and rows
-- that err alike are no evidence of their own.
deviating as (

    select
        summed.*,
        windows.error_design_effect as design_effect,
        case
            when summed.matured_rows >= {{ setting('slice_min_rows') }} and summed.variance >= 3
                then
                    cast(summed.positives - summed.expected_positives as double) / sqrt(
                        cast(summed.variance as double) * windows.error_design_effect
                        * (1 + cast(summed.matured_rows as double) / stored.validation_rows)
                    )
        end as deviate
    from summed
    inner join stored
        on summed.model_name = stored.model_name and summed.model_version = stored.model_version
    inner join {{ ref('monitored_windows') }} as windows
        on
            summed.model_name = windows.model_name
            and summed.model_version = windows.model_version
            and summed.window_start_on = windows.window_start_on

),

tested as (

    select
        *,
        {{ normal_p_value('deviate') }} as p_value,
        count(deviate) over (partition by {{ grain | join(', ') }}) as tests,
        row_number() over (
            partition by {{ grain | join(', ') }}
            order by abs(deviate) desc nulls last, slice asc nulls last
        ) as place
    from deviating

)

-- Holm (1979): the chance of any false alarm among a window's slices is held, however they overlap.
select
    *,
    case
        when deviate is not null
            then least(1, max(p_value * (tests - place + 1)) over (
                    partition by {{ grain | join(', ') }}
                    order by place
                ))
    end as adjusted_p_value
from tested
