-- An explanation names the features that moved a score most; one that it does not name counts as 0.
with

explanations as (

    select * from {{ ref('score_explanations') }}

),

explained as (

    select
        model_name,
        model_version,
        count(*) as explained_rows
    from explanations
    where rank = 1
    group by model_name, model_version

),

summed as (

    select
        model_name,
        model_version,
        feature,
        count(*) as named_rows,
        sum(abs(cast(contribution as decimal(18, 12)))) as absolute_contribution
    from explanations
    group by model_name, model_version, feature

)

select
    summed.model_name,
    summed.model_version,
    summed.feature,
    explained.explained_rows,
    summed.named_rows,
    cast(summed.absolute_contribution as double) / explained.explained_rows as mean_absolute_contribution
from summed
inner join explained
    on summed.model_name = explained.model_name and summed.model_version = explained.model_version
