-- A score above the training rows' share of positives comes from contributions that add up to more
-- than zero. Those that are not stored may outweigh those that are in one row, not on average.
with

trained as (

    select
        model_name,
        model_version,
        cast(train_positives as double) / nullif(train_rows, 0) as positive_share
    from {{ ref('model_runs') }}
    where artifact_sha256 is not null

),

explained as (

    select
        model_name,
        model_version,
        entity_id,
        as_of_on,
        sum(contribution) as contributions
    from {{ ref('score_explanations') }}
    group by model_name, model_version, entity_id, as_of_on

)

select
    trained.model_name,
    trained.model_version,
    count(*) as explained_scores,
    avg(explained.contributions) as mean_contributions
from explained
inner join trained
    on explained.model_name = trained.model_name and explained.model_version = trained.model_version
inner join {{ ref('scored_rows') }} as scores
    on
        explained.entity_id = scores.entity_id
        and explained.as_of_on = scores.as_of_on
        and explained.model_name = scores.model_name
        and explained.model_version = scores.model_version
where scores.score > trained.positive_share
group by trained.model_name, trained.model_version
having avg(explained.contributions) <= 0
