{{ config(severity='warn') }}

{#- Of well calibrated models, one in 16,000 is further off by chance. -#}
{% set max_standard_errors = 4 %}

with

measured as (

    select
        scores.model_name,
        scores.model_version,
        count(*) as test_rows,
        sum(scores.score) as expected_purchases,
        sum(case when labels.is_purchase then 1 else 0 end) as observed_purchases,
        sqrt(sum(scores.score * (1 - scores.score))) as standard_error
    from {{ ref('purchase_intent_scores') }} as scores
    inner join {{ ref('session_labels') }} as labels on scores.session_id = labels.session_id
    where scores.sample_role = 'test' and labels.is_purchase is not null
    group by scores.model_name, scores.model_version

)

select * from measured
where abs(observed_purchases - expected_purchases) > {{ max_standard_errors }} * standard_error
