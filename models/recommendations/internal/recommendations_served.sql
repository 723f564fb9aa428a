-- The first ten places of what was served before it could be known what comes of it. A list that is made
-- after its window is over was served to nobody, and was chosen by that window's outcomes.
{% if is_incremental() -%}
with

kept as (

    select distinct
        as_of_on,
        model_version
    from {{ this }}

)

{% endif -%}
select
    ranked.customer_id,
    ranked.as_of_on,
    ranked.rank as place,
    ranked.product_id,
    ranked.ranker,
    ranked.model_version
from {{ ref('product_recommendations_ranked') }} as ranked
inner join {{ ref('recommendation_dates') }} as dates on ranked.as_of_on = dates.as_of_on
{% if is_incremental() -%}
left join kept on ranked.as_of_on = kept.as_of_on and ranked.model_version = kept.model_version
{% endif -%}
where
    ranked.rank <= {{ measured_places() }}
    and dates.split is null
    {{ 'and kept.as_of_on is null' if is_incremental() }}
