{% set string_type = api.Column.translate_type('string') %}

with

dates as (

    select
        dates.as_of_on,
        cast(dates.until_at as date) as matured_on,
        dates.split
    from {{ ref('recommendation_dates') }} as dates
    where dates.split is not null

),

served as (

    -- The newest mature date is measured again, as its orders may come in late; a date before it once.
    select
        served.*,
        dates.matured_on
    from {{ ref('recommendations_served') }} as served
    inner join dates on served.as_of_on = dates.as_of_on
    {{ "where dates.split = 'test' or dates.as_of_on not in (select as_of_on from " ~ this ~ ')' if is_incremental() }}

),

rankers as (

    select distinct
        as_of_on,
        matured_on,
        ranker,
        model_version
    from served

),

outcomes as (

    select * from {{ ref('recommendation_outcomes') }}
    where {{ setting('recommend_owned') }} or not is_owned

),

targets as (

    select
        customer_id,
        as_of_on,
        segment,
        count(*) as bought_count
    from outcomes
    group by customer_id, as_of_on, segment

),

{{ ndcg_gains() }},

met as (

    select
        served.customer_id,
        served.as_of_on,
        served.model_version,
        count(*) as hit_count,
        sum(gains.gain) as gain
    from served
    inner join gains on served.place = gains.place
    inner join outcomes
        on
            served.customer_id = outcomes.customer_id
            and served.as_of_on = outcomes.as_of_on
            and served.product_id = outcomes.product_id
    group by served.customer_id, served.as_of_on, served.model_version

),

-- Who bought and had no list was missed.
measured as (

    select
        rankers.as_of_on,
        rankers.matured_on,
        rankers.ranker,
        rankers.model_version,
        targets.segment,
        targets.bought_count,
        coalesce(met.hit_count, 0) as hit_count,
        cast(cast(coalesce(met.gain, 0) as double) / cast(best.best_gain as double) as decimal(9, 6)) as ndcg
    from rankers
    inner join targets on rankers.as_of_on = targets.as_of_on
    inner join best on best.bought_count = least(targets.bought_count, {{ measured_places() }})
    left join met
        on
            targets.customer_id = met.customer_id
            and targets.as_of_on = met.as_of_on
            and rankers.model_version = met.model_version

)

{% for segment in ["segment", "'ALL'"] %}
select
    as_of_on,
    matured_on,
    ranker,
    model_version,
    cast({{ segment }} as {{ string_type }}) as segment,
    count(*) as customers,
    sum(bought_count) as bought_products,
    sum(hit_count) as hit_products,
    count(case when hit_count > 0 then 1 end) as hit_customers,
    cast(sum(ndcg) as decimal(38, 6)) as ndcg_total,
    cast(sum(ndcg * ndcg) as decimal(38, 12)) as ndcg_squares
from measured
group by as_of_on, matured_on, ranker, {{ 'segment, ' if segment == 'segment' }}model_version
{{ 'union all' if not loop.last }}
{% endfor %}
