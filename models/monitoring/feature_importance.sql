{% set text = api.Column.translate_type('string') %}

with

-- An explanation names the features that moved a score most; one that it does not name counts as 0.
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

),

-- Of the ranker, whose candidates are too many to explain, training explains some. The same trees can be
-- trained twice, then under the same version.
trained as (

    select
        model_name,
        model_version,
        importance
    from {{ ref('product_recommendations_trained') }}
    where importance is not null
    qualify row_number() over (partition by model_name, model_version order by decision_number desc nulls last) = 1

),

by_training as (

    {{ json_list_rows('trained', 'importance', ['model_name', 'model_version'], {
        'feature': 'varchar', 'explained_rows': 'bigint', 'mean_absolute_contribution': 'double',
    }) }}

)

select
    summed.model_name,
    summed.model_version,
    summed.feature,
    explained.explained_rows,
    summed.named_rows,
    cast(summed.absolute_contribution as double) / explained.explained_rows as mean_absolute_contribution,
    cast('score_explanations' as {{ text }}) as explained_by
from summed
inner join explained
    on summed.model_name = explained.model_name and summed.model_version = explained.model_version

union all

select
    model_name,
    model_version,
    feature,
    explained_rows,
    explained_rows as named_rows,
    mean_absolute_contribution,
    cast('training' as {{ text }}) as explained_by
from by_training
