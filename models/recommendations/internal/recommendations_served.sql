{% set not_kept = 'and not exists (select 1 from ' ~ this ~ ' as kept where kept.as_of_on = ranked.as_of_on '
    ~ 'and kept.model_version = ranked.model_version)' %}

-- The first ten places of what was served before it could be known what comes of it. A list that is made
-- after its window is over was served to nobody, and was chosen by that window's outcomes.
select
    ranked.customer_id,
    ranked.as_of_on,
    ranked.rank as place,
    ranked.product_id,
    ranked.ranker,
    ranked.model_version
from {{ ref('product_recommendations_ranked') }} as ranked
inner join {{ ref('recommendation_dates') }} as dates on ranked.as_of_on = dates.as_of_on
where dates.split is null and ranked.rank <= {{ measured_places() }} {{ not_kept if is_incremental() }}
