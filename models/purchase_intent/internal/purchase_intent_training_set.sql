{{ config(materialized='view') }}

{% set test_days = setting('test_days') %}
{% set validation_days = setting('validation_days') %}
{% set train_window_days = setting('train_window_days') %}

with

labels as (

    select * from {{ ref('session_labels') }}
    where is_purchase is not null

),

newest as (

    select max(session_on) as newest_on from labels

),

-- Whole days, counted back from the newest mature session, so that a split never cuts a day.
aged as (

    select
        labels.*,
        newest.newest_on - labels.session_on as age_days
    from labels
    cross join newest

),

assigned as (

    select
        session_id,
        is_purchase,
        matured_on,
        label_definition_version,
        source_row_key,
        case
            when age_days < {{ test_days }} then 'test'
            when age_days < {{ test_days }} + {{ validation_days }} then 'validation'
            when {{ train_window_days }} is null or age_days < {{ train_window_days }} then 'train'
        end as split
    from aged

)

select
    assigned.split,
    assigned.is_purchase,
    assigned.matured_on,
    assigned.label_definition_version,
    assigned.source_row_key,
    features.*
from assigned
inner join {{ ref('session_features') }} as features on assigned.session_id = features.session_id
where assigned.split is not null
