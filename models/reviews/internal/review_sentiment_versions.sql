{{ config(materialized='view') }}

with

promoted as (

    select
        model_version,
        cast(test_from_on as timestamp) as trained_before_at,
        row_number() over (partition by model_version order by decision_number) as copy_number
    from {{ ref('review_sentiment_trained') }}
    where decision = 'trained_promoted'

),

serving as (

    select model_version
    from {{ ref('review_sentiment_trained') }}
    where is_champion
    qualify row_number() over (order by decision_number desc nulls last) = 1

),

champions as (

    select
        promoted.model_version,
        promoted.trained_before_at,
        max(case when serving.model_version is not null then promoted.trained_before_at end) over ()
            as serving_from_at
    from promoted
    left join serving on promoted.model_version = serving.model_version
    where promoted.copy_number = 1

),

versions as (

    -- What was taken back for the serving version scores nothing more.
    select
        model_version,
        trained_before_at
    from champions
    where trained_before_at <= serving_from_at
    union all
    select
        model_version,
        trained_before_at
    from {{ ref('review_sentiment_folds') }}

)

select
    model_version,
    trained_before_at,
    lead(trained_before_at) over (order by trained_before_at, model_version) as scores_until_at
from versions
