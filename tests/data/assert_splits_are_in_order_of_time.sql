{%- set training_sets = [
    (ref('churn_training_set'), 'as_of_on'),
    (ref('product_recommendations_training_set'), 'as_of_on'),
    (ref('purchase_intent_training_set'), 'session_on'),
] %}
{%- set learned_texts = setting_value('text_engine') == 'embedded' %}
{%- do training_sets.append((ref('review_sentiment_training_set'), 'created_on')) if learned_texts %}
with

training_sets as (

    {%- for training_set, date_column in training_sets %}
    select
        '{{ training_set.identifier }}' as found_in,
        max(case when split = 'train' then {{ date_column }} end) as train_to_on,
        min(case when split = 'validation' then {{ date_column }} end) as validation_from_on,
        max(case when split = 'validation' then {{ date_column }} end) as validation_to_on,
        min(case when split = 'test' then {{ date_column }} end) as test_from_on
    from {{ training_set }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

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

    select * from training_sets
    union all
    select * from decisions

)

select * from windows
where
    train_to_on >= validation_from_on
    or validation_to_on >= test_from_on
    or train_to_on >= test_from_on
