with

champions as (

    select distinct model_version
    from {{ ref('model_runs') }}
    where is_champion and model_name = 'product_recommendations'

)

select
    recommendations.ranker,
    recommendations.model_version,
    count(*) as recommendations
from {{ ref('product_recommendations') }} as recommendations
left join champions on recommendations.model_version = champions.model_version
where
    case
        when recommendations.ranker = 'model' then champions.model_version is null or recommendations.score is null
        else recommendations.model_version <> recommendations.ranker or recommendations.score is not null
    end
group by recommendations.ranker, recommendations.model_version
