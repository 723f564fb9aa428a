{{ config(severity='warn') }}

{#- Of well calibrated models, one in 16,000 is further off by chance. -#}
{% set max_standard_errors = 4 %}

with

measured as (

    select
        model_name,
        model_version,
        count(*) as test_rows,
        sum(score) as expected_positives,
        sum(case when is_positive then 1 else 0 end) as observed_positives,
        sqrt(sum(score * (1 - score))) as standard_error
    from {{ ref('scored_rows') }}
    where sample_role = 'test' and is_positive is not null
    group by model_name, model_version

)

select * from measured
where abs(observed_positives - expected_positives) > {{ max_standard_errors }} * standard_error
