{{ config(materialized='view') }}

with

labels as (

    select * from {{ ref('session_labels') }}

),

newest as (

    select max(session_on) as newest_on
    from labels
    where is_purchase is not null

),

-- Splits are whole days. Labels mature in the course of a day, so the newest one may be half mature;
-- it waits for the next build, or its other half would later pass for rows that were measured on.
last_whole_day as (

    select
        case
            when count(*) = count(labels.is_purchase) then newest.newest_on
            else newest.newest_on - 1
        end as last_on
    from newest
    inner join labels on newest.newest_on = labels.session_on
    group by newest.newest_on

),

aged as (

    select
        labels.*,
        last_whole_day.last_on - labels.session_on as age_days
    from labels
    cross join last_whole_day
    where labels.is_purchase is not null and labels.session_on <= last_whole_day.last_on

),

assigned as (

    select
        session_id,
        is_purchase,
        matured_on,
        label_definition_version,
        source_row_key,
        {{ split_by_age('age_days', setting('test_days'), setting('validation_days')) }} as split
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
