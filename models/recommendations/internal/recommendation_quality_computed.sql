{{ config(materialized='computed_table') }}

{% set string_type = api.Column.translate_type('string') %}
{% set others = ['own_history', 'popularity'] %}

with

measured as (

    select * from {{ ref('recommendation_measurements') }}

),

lists as (

    -- Of the customers that are measured.
    select
        lists.as_of_on,
        lists.item_kind,
        lists.ranker,
        measured.segment,
        lists.product_id
    from {{ ref('recommendation_lists') }} as lists
    inner join measured
        on
            lists.customer_id = measured.customer_id
            and lists.as_of_on = measured.as_of_on
            and lists.item_kind = measured.item_kind
            and lists.ranker = measured.ranker

),

rankers as (

    select distinct
        as_of_on,
        ranker,
        model_version
    from measured

),

segments as (

    select segment
    from {{ ref('customer_segment_vocabulary') }}

    union all

    select cast('ALL' as {{ string_type }}) as segment

),

-- Every ranker, kind and segment has its row: one without customers says so, and has no figures.
grid as (

    {% for kind, condition in item_kinds() %}
    select
        rankers.as_of_on,
        rankers.ranker,
        rankers.model_version,
        segments.segment,
        cast('{{ kind }}' as {{ string_type }}) as item_kind
    from rankers
    cross join segments
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

),

figures as (

    {% for segment in ["segment", "'ALL'"] %}
    select
        as_of_on,
        item_kind,
        cast({{ segment }} as {{ string_type }}) as segment,
        ranker,
        count(*) as customers,
        sum(bought_count) as bought_products,
        sum(hit_count) as hit_products,
        count(case when hit_count > 0 then 1 end) as hit_customers,
        sum(ndcg) as ndcg_total,
        sum(ndcg * ndcg) as ndcg_squares
    from measured
    group by as_of_on, item_kind, {{ 'segment, ' if segment == 'segment' }}ranker
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

),

variety as (

    {% for segment in ["segment", "'ALL'"] %}
    select
        as_of_on,
        item_kind,
        cast({{ segment }} as {{ string_type }}) as segment,
        ranker,
        count(distinct product_id) as recommended_products
    from lists
    group by as_of_on, item_kind, {{ 'segment, ' if segment == 'segment' }}ranker
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

),

sold as (

    select
        as_of_on,
        count(case when order_count_365d > 0 then 1 end) as sold_products
    from {{ ref('product_popularity') }}
    group by as_of_on

),

joined as (

    select
        grid.*,
        coalesce(figures.customers, 0) as customers,
        figures.bought_products,
        figures.hit_products,
        figures.hit_customers,
        figures.ndcg_total,
        figures.ndcg_squares,
        case when figures.customers > 0 then coalesce(variety.recommended_products, 0) end as recommended_products,
        sold.sold_products,
        {%- for other in others %}
        over_{{ other }}.hit_rate_lead as hit_rate_lead_over_{{ other }},
        over_{{ other }}.hit_rate_lead_low as hit_rate_lead_over_{{ other }}_low,
        over_{{ other }}.hit_rate_lead_high as hit_rate_lead_over_{{ other }}_high,
        over_{{ other }}.ndcg_lead as ndcg_lead_over_{{ other }},
        over_{{ other }}.ndcg_lead_low as ndcg_lead_over_{{ other }}_low,
        over_{{ other }}.ndcg_lead_high as ndcg_lead_over_{{ other }}_high,
        {%- endfor %}
        choice.ranker is not null as is_served
    from grid
    left join figures
        on
            grid.as_of_on = figures.as_of_on
            and grid.item_kind = figures.item_kind
            and grid.segment = figures.segment
            and grid.ranker = figures.ranker
    left join variety
        on
            grid.as_of_on = variety.as_of_on
            and grid.item_kind = variety.item_kind
            and grid.segment = variety.segment
            and grid.ranker = variety.ranker
    left join sold on grid.as_of_on = sold.as_of_on
    {%- for other in others %}
    left join {{ ref('recommendation_leads') }} as over_{{ other }}
        on
            grid.as_of_on = over_{{ other }}.as_of_on
            and grid.item_kind = over_{{ other }}.item_kind
            and grid.segment = over_{{ other }}.segment
            and grid.ranker = over_{{ other }}.ranker
            and over_{{ other }}.other_ranker = '{{ other }}'
    {%- endfor %}
    left join {{ ref('recommendation_choice') }} as choice on grid.ranker = choice.ranker

)

select
    as_of_on,
    ranker,
    model_version,
    is_served,
    item_kind,
    segment,
    cast(customers as bigint) as customers,
    cast(hit_customers as double) / nullif(customers, 0) as hit_rate_10,
    {{ wilson_interval('hit_customers', 'customers', 'low') }} as hit_rate_10_low,
    {{ wilson_interval('hit_customers', 'customers', 'high') }} as hit_rate_10_high,
    cast(ndcg_total as double) / nullif(customers, 0) as ndcg_10,
    {{ mean_interval('ndcg_total', 'ndcg_squares', 'customers', 'low') }} as ndcg_10_low,
    {{ mean_interval('ndcg_total', 'ndcg_squares', 'customers', 'high') }} as ndcg_10_high,
    cast(hit_products as double) / nullif({{ measured_places() }} * customers, 0) as precision_10,
    cast(hit_products as double) / nullif(bought_products, 0) as recall_10,
    cast(recommended_products as bigint) as recommended_products,
    cast(sold_products as bigint) as sold_products,
    cast(recommended_products as double) / nullif(sold_products, 0) as coverage,
    hit_rate_lead_over_own_history,
    hit_rate_lead_over_own_history_low,
    hit_rate_lead_over_own_history_high,
    ndcg_lead_over_own_history,
    ndcg_lead_over_own_history_low,
    ndcg_lead_over_own_history_high,
    hit_rate_lead_over_popularity,
    hit_rate_lead_over_popularity_low,
    hit_rate_lead_over_popularity_high,
    ndcg_lead_over_popularity,
    ndcg_lead_over_popularity_low,
    ndcg_lead_over_popularity_high
from joined
