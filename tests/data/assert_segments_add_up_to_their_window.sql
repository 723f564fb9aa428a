with

segments as (

    select
        model_name,
        model_version,
        window_start_on,
        sum(scored_rows) as scored_rows,
        sum(matured_rows) as matured_rows,
        sum(positives) as positives
    from {{ ref('segment_performance') }}
    group by model_name, model_version, window_start_on

)

select
    whole.model_name,
    whole.model_version,
    whole.window_start_on,
    whole.scored_rows,
    segments.scored_rows as scored_rows_of_segments,
    whole.matured_rows,
    segments.matured_rows as matured_rows_of_segments,
    whole.positives,
    segments.positives as positives_of_segments
from {{ ref('model_performance') }} as whole
left join segments
    on
        whole.model_name = segments.model_name
        and whole.model_version = segments.model_version
        and whole.window_start_on = segments.window_start_on
where
    segments.scored_rows is distinct from whole.scored_rows
    or segments.matured_rows is distinct from whole.matured_rows
    or segments.positives is distinct from whole.positives
