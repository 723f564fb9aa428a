{{ config(materialized='computed_table') }}

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
        row_number() over (order by ndcg desc nulls last, ranker asc) as place
    from measured
    where ranker <> 'model'

),

best_rule as (

    select max(case when place = 1 then ranker end) as best_rule
    from rules

),

serving as (

    select max(model_version) as model_version
    from measured
    where ranker = 'model'

),

-- The model has to lead each rule, so the smallest of its leads counts; one that is unknown is none.
ahead as (

    select
        count(*) > 0 as is_model_measured,
        coalesce(
            min(leads.ndcg_lead_low) > 0
            and count(leads.ndcg_lead_low) = count(*)
            and min(leads.customers) >= {{ setting('min_class_rows') }},
            false
        ) as is_model_ahead
    from {{ ref('recommendation_leads') }} as leads
    inner join newest on leads.as_of_on = newest.as_of_on
    where leads.ranker = 'model' and leads.item_kind = '{{ kind }}' and leads.segment = 'ALL'

),

compared as (

    select
        best_rule.best_rule,
        serving.model_version,
        ahead.is_model_measured,
        ahead.is_model_ahead
    from best_rule
    cross join serving
    cross join ahead

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
