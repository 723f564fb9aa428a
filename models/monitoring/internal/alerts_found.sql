-- One arm for each thing that is watched; add an arm for what else shall raise alerts. Kinds stand in
-- seeds/vocabulary/alert_vocabulary.csv.
{% set string_type = api.Column.translate_type('string') %}

with

newest as (

    select {{ window_end(window_start('max(watermark_at)')) }} as window_end_on
    from {{ ref('source_watermarks') }}

),

quality as (

    select
        *,
        row_number() over (partition by check_name, subject order by window_start_on desc nulls last) as age,
        check_name = 'validity' and value < {{ setting('severe_validity') }} as is_refused
    from {{ ref('data_quality') }}
    where is_failing is not null

),

failing as (

    select
        *,
        case when is_refused then 'rows_refused' else 'data_' || check_name end as kind,
        case when is_refused then {{ setting('severe_validity') }} else threshold end as held_against
    from quality
    where age = 1 and is_failing

),

-- The newest window that can be judged.
from_data_quality as (

    select
        kind,
        subject,
        cast(null as {{ string_type }}) as model_name,
        value,
        held_against as threshold,
        case check_name
            when 'volume' then {{ number_as_text('value', 0) }} || ' rows'
            when 'freshness' then {{ number_as_text('value') }} || ' days behind the newest event of the shop'
            else {{ number_as_text('100 * value') }} || ' % ' || case check_name
                    when 'completeness' then 'of rows with a value'
                    when 'uniqueness' then 'of rows with a key of their own'
                    else 'of rows accepted'
                end
        end
        || case when value < threshold_low then ', less than ' else ', more than ' end
        || case check_name
            when 'volume' then {{ number_as_text('held_against', 0) }}
            when 'freshness' then {{ number_as_text('held_against') }}
            else {{ number_as_text('100 * held_against') }} || ' %'
        end as finding,
        window_end_on,
        'data_quality: check_name = ''' || check_name || ''' and subject = ''' || subject || '''' as evidence
    from failing

),

from_run_times as (

    select
        'slow_node' as kind,
        node as subject,
        cast(null as {{ string_type }}) as model_name,
        newest_seconds as value,
        slow_above_seconds as threshold,
        {{ number_as_text('newest_seconds', 1) }} || ' s, more than ' || {{ number_as_text('slow_above_seconds', 1) }}
        || ' s; its median is ' || {{ number_as_text('median_seconds', 1) }} || ' s' as finding,
        cast(run_started_at as date) as window_end_on,
        'runtime_trends: node = ''' || node || '''' as evidence
    from {{ ref('runtime_trends') }}
    where is_slow

),

serving as (

    select * from {{ ref('serving_versions') }}

),

decisions as (

    select
        model_name,
        decision,
        row_number() over (partition by model_name order by decision_number desc nulls last) as age
    from {{ ref('model_runs') }}

),

from_decisions as (

    select
        case when decisions.decision = 'not_enough_labels' then 'not_enough_labels' else 'no_champion' end as kind,
        decisions.model_name as subject,
        decisions.model_name,
        cast(null as double) as value,
        cast(null as double) as threshold,
        case
            when decisions.decision = 'not_enough_labels' then 'too few final outcomes to train'
            else 'no version serves; the newest decision is ' || decisions.decision
        end as finding,
        newest.window_end_on,
        'model_runs: model_name = ''' || decisions.model_name || '''' as evidence
    from decisions
    cross join newest
    left join serving on decisions.model_name = serving.model_name
    -- What was trained and rejected leaves the version in service that was there before.
    where
        decisions.age = 1
        and (decisions.decision = 'not_enough_labels' or serving.model_name is null)

),

performance as (

    select * from {{ ref('model_performance') }}

),

-- The version that serves; until it is judged itself, the one before it as well: the build that replaces a
-- version says what was wrong with it.
watched as (

    select
        model_name,
        model_version,
        true as is_serving,
        '' as said_of_version
    from serving

    union all

    select
        runs.model_name,
        runs.model_version,
        false as is_serving,
        ' (version ' || runs.model_version || ', which has been replaced)' as said_of_version
    from {{ ref('model_runs') }} as runs
    inner join serving
        on runs.model_name = serving.model_name and runs.model_version <> serving.model_version
    left join performance
        on
            serving.model_name = performance.model_name
            and serving.model_version = performance.model_version
            and performance.has_fallen is not null
    where runs.is_champion and performance.model_name is null
    qualify row_number() over (partition by runs.model_name order by runs.decision_number desc nulls last) = 1

),

-- A window that is over and judged is not mended by the next: each has an alert of its own.
from_performance as (

    select
        'fallen_performance' as kind,
        performance.model_name as subject,
        performance.model_name,
        performance.promotion_value - performance.primary_value as value,
        {{ setting('retrain_metric_margin') }} as threshold,
        performance.primary_metric || ' of ' || cast(performance.matured_rows as {{ string_type }})
        || ' new rows with final outcomes was ' || {{ number_as_text('performance.promotion_value', 3) }}
        || ' at promotion and is ' || {{ number_as_text('performance.primary_value', 3) }}
        || ', ' || {{ number_as_text('performance.fall_low', 3) }} || ' lower at least in view of the noise of both'
        || watched.said_of_version as finding,
        performance.window_end_on,
        'model_performance: model_name = ''' || performance.model_name || '''' as evidence
    from performance
    inner join watched
        on performance.model_name = watched.model_name and performance.model_version = watched.model_version
    where performance.has_fallen

),

harmful_slices as (

    select
        slices.*,
        watched.said_of_version,
        -- Of two versions in one window, that which serves.
        dense_rank() over (
            partition by slices.model_name, slices.window_start_on order by watched.is_serving desc nulls last
        ) as version_place,
        slices.slice || ' (' || {{ number_as_text('100 * slices.observed_rate', 1) }} || ' %, not '
        || {{ number_as_text('100 * slices.expected_rate', 1) }} || ' %)' as shown,
        -- How many times as many, or as few, came as were expected; half a row is added to both.
        abs(ln(
            (slices.matured_rows * slices.observed_rate + 0.5e0) / (slices.matured_rows * slices.expected_rate + 0.5e0)
        )) as distance
    from {{ ref('slice_performance') }} as slices
    inner join watched
        on slices.model_name = watched.model_name and slices.model_version = watched.model_version
    where slices.is_harmful

),

slices as (

    select
        *,
        row_number() over (
            partition by model_name, window_start_on
            order by distance desc nulls last, slice asc nulls last
        ) as place
    from harmful_slices
    where version_place = 1

),

-- One alert for all slices of a window: they overlap.
from_slices as (

    select
        'miscalibrated_slice' as kind,
        model_name as subject,
        model_name,
        max(case when place = 1 then observed_rate end) as value,
        max(case when place = 1 then expected_rate end) as threshold,
        'more or fewer positive outcomes than the scores say in '
        || {{ dbt.listagg('case when place <= 8 then shown end', "', '", 'order by place') }}
        || case when count(*) > 8 then ' and more' else '' end
        || max(said_of_version) as finding,
        window_end_on,
        'slice_performance: is_harmful and model_name = ''' || model_name || '''' as evidence
    from slices
    group by model_name, window_end_on

),

recommended as (

    select
        *,
        row_number() over (order by as_of_on desc nulls last) as place
    from {{ ref('recommendation_performance') }}
    where segment = 'ALL' and has_fallen is not null

),

-- The newest lists that can be judged.
from_recommendations as (

    select
        'fallen_recommendations' as kind,
        'product_recommendations' as subject,
        'product_recommendations' as model_name,
        ndcg_10 as value,
        earlier_ndcg_10 - {{ setting('retrain_metric_margin') }} as threshold,
        'NDCG@10 of the lists of ' || cast(customers as {{ string_type }}) || ' customers is '
        || {{ number_as_text('ndcg_10', 3) }} || '; that of earlier lists was '
        || {{ number_as_text('earlier_ndcg_10', 3) }} as finding,
        matured_on as window_end_on,
        'recommendation_performance: segment = ''ALL''' as evidence
    from recommended
    where place = 1 and has_fallen

),

-- What a shift costs is said before outcomes are final; a shift that costs nothing is no alert.
from_drift as (

    select
        'costly_drift' as kind,
        drift.model_name || '.' || drift.column_name as subject,
        drift.model_name,
        drift.brier_change_low as value,
        {{ setting('drift_cost_margin') }} as threshold,
        'its shift alone makes the mean squared error ' || {{ number_as_text('drift.brier_change', 3) }}
        || ' larger, ' || {{ number_as_text('drift.brier_change_low', 3) }} || ' at least' as finding,
        drift.window_end_on,
        'feature_drift: model_name = ''' || drift.model_name || ''' and column_name = '''
        || drift.column_name || '''' as evidence
    from {{ ref('feature_drift') }} as drift
    inner join serving
        on drift.model_name = serving.model_name and drift.model_version = serving.model_version
    inner join {{ ref('model_runs') }} as runs
        on
            drift.model_name = runs.model_name
            and drift.model_version = runs.model_version
            and runs.decision = 'trained_promoted'
    -- Rows that the version was tested on have been judged with it.
    where
        drift.is_drifted
        and drift.brier_change_low > {{ setting('drift_cost_margin') }}
        and drift.window_start_on > runs.test_to_on

),

found as (

    select * from from_data_quality
    union all
    select * from from_performance
    union all
    select * from from_slices
    union all
    select * from from_recommendations
    union all
    select * from from_drift
    union all
    select * from from_run_times
    union all
    select * from from_decisions

)

select
    md5(
        kind || '|' || subject || '|' || coalesce(cast(window_end_on as {{ string_type }}), '')
    ) as alert_id,
    kind,
    subject,
    model_name,
    value,
    threshold,
    subject || ': ' || finding || '.' as message,
    window_end_on,
    evidence
from found
