{{ config(materialized='computed_table') }}

with

measured as (

    select * from {{ ref('recommendation_measurements') }}

),

-- The same customers on both sides: what differs between customers cancels out.
paired as (

    select
        one.as_of_on,
        one.item_kind,
        one.segment,
        one.ranker,
        other.ranker as other_ranker,
        one.hit - other.hit as hit_lead,
        one.ndcg - other.ndcg as ndcg_lead
    from measured as one
    inner join measured as other
        on
            one.customer_id = other.customer_id
            and one.as_of_on = other.as_of_on
            and one.item_kind = other.item_kind
            and one.ranker <> other.ranker

),

grouped as (

    {% for segment in ["segment", "'ALL'"] %}
    select
        as_of_on,
        item_kind,
        cast({{ segment }} as {{ api.Column.translate_type('string') }}) as segment,
        ranker,
        other_ranker,
        count(*) as customers,
        sum(hit_lead) as hit_total,
        sum(hit_lead * hit_lead) as hit_squares,
        sum(ndcg_lead) as ndcg_total,
        sum(ndcg_lead * ndcg_lead) as ndcg_squares
    from paired
    group by as_of_on, item_kind, {{ 'segment, ' if segment == 'segment' }}ranker, other_ranker
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

)

select
    as_of_on,
    item_kind,
    segment,
    ranker,
    other_ranker,
    customers,
    {% for metric, name in [('hit', 'hit_rate'), ('ndcg', 'ndcg')] -%}
    cast({{ metric }}_total as double) / customers as {{ name }}_lead,
    {{ mean_interval(metric ~ '_total', metric ~ '_squares', 'customers', 'low') }} as {{ name }}_lead_low,
    {{ mean_interval(metric ~ '_total', metric ~ '_squares', 'customers', 'high') }} as {{ name }}_lead_high
    {%- if not loop.last %},
    {% endif -%}
    {% endfor %}
from grouped
