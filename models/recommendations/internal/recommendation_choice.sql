{{ config(materialized='table') }}

{% set kind = 'all' if setting_value('recommend_owned') else 'new' %}
{% set rule_without_figures = 'own_history' if setting_value('recommend_owned') else 'co_purchase' %}
{% set string_type = api.Column.translate_type('string') %}

with

newest as (

    select max(as_of_on) as as_of_on
    from {{ ref('recommendation_measurements') }}

),

measured as (

    select
        measurements.ranker,
        max(measurements.model_version) as model_version,
        cast(sum(measurements.ndcg) as double) / count(*) as ndcg
    from {{ ref('recommendation_measurements') }} as measurements
    inner join newest on measurements.as_of_on = newest.as_of_on
    where measurements.item_kind = '{{ kind }}'
    group by measurements.ranker

),

rules as (

    select
        ranker,
        row_number() over (order by ndcg desc nulls last, ranker) as place
    from measured
    where ranker <> 'model'

),

-- The model has to lead each rule, so the smallest of its leads counts.
model_leads as (

    select
        leads.other_ranker,
        leads.customers,
        leads.ndcg_lead_low,
        -- One that is unknown, with a single customer, is no lead.
        row_number() over (order by leads.ndcg_lead_low nulls first, leads.other_ranker) as place
    from {{ ref('recommendation_leads') }} as leads
    inner join newest on leads.as_of_on = newest.as_of_on
    where leads.ranker = 'model' and leads.item_kind = '{{ kind }}' and leads.segment = 'ALL'

),

compared as (

    select
        rules.ranker as best_rule,
        model.model_version,
        coalesce(
            leads.ndcg_lead_low > 0 and leads.customers >= {{ setting('min_class_rows') }}, false
        ) as is_model_ahead,
        leads.other_ranker is not null as is_model_measured
    from (select 1 as one) as always
    left join rules on rules.place = 1
    left join measured as model on model.ranker = 'model'
    left join model_leads as leads on leads.place = 1

)

select
    cast(
        case when is_model_ahead then 'model' else coalesce(best_rule, '{{ rule_without_figures }}') end
        as {{ string_type }}
    ) as ranker,
    cast(
        case when is_model_ahead then model_version else coalesce(best_rule, '{{ rule_without_figures }}') end
        as {{ string_type }}
    ) as model_version,
    cast('{{ kind }}' as {{ string_type }}) as item_kind,
    cast(
        case
            when is_model_ahead then 'the model leads every rule in NDCG@10 beyond noise'
            when is_model_measured then 'the model does not lead every rule in NDCG@10 beyond noise'
            when best_rule is not null then 'no model serves, and this rule has the highest NDCG@10'
            else 'nothing could be measured yet'
        end as {{ string_type }}
    ) as reason
from compared
