with

trained as (

    select * from {{ ref('model_runs') }}
    where artifact_sha256 is not null

),

deciles as (

    select
        model_name,
        model_version,
        score_decile,
        min(score) as lowest_score,
        lag(max(score)) over (
            partition by model_name, model_version
            order by score_decile
        ) as highest_score_below
    from {{ ref('scored_rows') }}
    group by model_name, model_version, score_decile

),

mispredicted as (

    select
        scores.model_name,
        scores.model_version,
        count(*) as scores
    from {{ ref('scored_rows') }} as scores
    inner join trained
        on scores.model_name = trained.model_name and scores.model_version = trained.model_version
    where scores.is_predicted <> (scores.score >= trained.threshold)
    group by scores.model_name, scores.model_version

)

select
    model_name,
    model_version,
    'decile ' || score_decile || ' reaches below the one before' as problem
from deciles
where lowest_score < highest_score_below

union all

select
    model_name,
    model_version,
    scores || ' predictions contradict the threshold' as problem
from mispredicted
