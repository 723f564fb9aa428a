-- Windows of successive as-of dates overlap: what decides a label of one split must not lie in the next.
with

windows as (

    {%- for training_set in [ref('churn_training_set'), ref('product_recommendations_training_set')] %}
    select
        '{{ training_set.identifier }}' as found_in,
        max(case when split = 'train' then matured_on end) as train_matured_on,
        min(case when split = 'validation' then as_of_on end) as validation_from_on,
        max(case when split = 'validation' then matured_on end) as validation_matured_on,
        min(case when split = 'test' then as_of_on end) as test_from_on
    from {{ training_set }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from windows
where train_matured_on > validation_from_on or validation_matured_on > test_from_on
