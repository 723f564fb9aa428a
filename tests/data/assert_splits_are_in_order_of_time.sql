with

training_set as (

    select
        'training set' as found_in,
        max(case when split = 'train' then session_on end) as train_to_on,
        min(case when split = 'validation' then session_on end) as validation_from_on,
        max(case when split = 'validation' then session_on end) as validation_to_on,
        min(case when split = 'test' then session_on end) as test_from_on
    from {{ ref('purchase_intent_training_set') }}

),

decisions as (

    select
        model_run_id as found_in,
        train_to_on,
        validation_from_on,
        validation_to_on,
        test_from_on
    from {{ ref('model_runs') }}

),

windows as (

    select * from training_set
    union all
    select * from decisions

)

select * from windows
where
    train_to_on >= validation_from_on
    or validation_to_on >= test_from_on
    or train_to_on >= test_from_on
