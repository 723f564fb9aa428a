{{ config(materialized='computed_table') }}

with

lists as (

    select * from {{ ref('recommendation_lists') }}

),

-- Only of customers for whom products were ranked: of the others no ranker was asked.
outcomes as (

    select outcomes.*
    from {{ ref('recommendation_outcomes') }} as outcomes
    inner join {{ ref('recommendation_dates') }} as dates on outcomes.as_of_on = dates.as_of_on
    inner join {{ ref('recommendation_customers') }} as customers
        on
            outcomes.customer_id = customers.customer_id
            and outcomes.as_of_on = customers.as_of_on
    where dates.split = 'test'

),

-- Who bought nothing new can not be met with something new, so each kind has its own customers.
targets as (

    {% for kind, condition in item_kinds() %}
    select
        customer_id,
        as_of_on,
        segment,
        cast('{{ kind }}' as {{ api.Column.translate_type('string') }}) as item_kind,
        count(*) as bought_count
    from outcomes
    where {{ condition }}
    group by customer_id, as_of_on, segment
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

),

{{ ndcg_gains() }},

rankers as (

    select distinct
        as_of_on,
        ranker,
        model_version
    from lists

),

met as (

    select
        lists.customer_id,
        lists.as_of_on,
        lists.item_kind,
        lists.ranker,
        count(*) as hit_count,
        sum(gains.gain) as gain
    from lists
    inner join gains on lists.place = gains.place
    where lists.is_bought
    group by lists.customer_id, lists.as_of_on, lists.item_kind, lists.ranker

)

-- A ranker that had nothing to offer to a customer has missed.
select
    targets.customer_id,
    targets.as_of_on,
    targets.item_kind,
    targets.segment,
    rankers.ranker,
    rankers.model_version,
    cast(targets.bought_count as bigint) as bought_count,
    cast(coalesce(met.hit_count, 0) as bigint) as hit_count,
    cast(case when met.hit_count > 0 then 1 else 0 end as decimal(9, 6)) as hit,
    cast(cast(coalesce(met.gain, 0) as double) / cast(best.best_gain as double) as decimal(9, 6)) as ndcg
from targets
inner join rankers on targets.as_of_on = rankers.as_of_on
inner join best on best.bought_count = least(targets.bought_count, {{ measured_places() }})
left join met
    on
        targets.customer_id = met.customer_id
        and targets.as_of_on = met.as_of_on
        and targets.item_kind = met.item_kind
        and rankers.ranker = met.ranker
