{{ config(materialized='view') }}

-- Candidates of customers who bought something: what to offer is asked of who buys, and whether somebody
-- buys at all is another question.
with

outcomes as (

    select * from {{ ref('recommendation_outcomes') }}

),

buyers as (

    select
        customer_id,
        as_of_on,
        max(matured_on) as matured_on,
        max(label_definition_version) as label_definition_version
    from outcomes
    group by customer_id, as_of_on

)

select
    dates.split,
    outcomes.product_id is not null as is_bought,
    buyers.matured_on,
    buyers.label_definition_version,
    outcomes.source_row_key,
    candidates.*
from {{ ref('product_candidates') }} as candidates
inner join {{ ref('recommendation_dates') }} as dates on candidates.as_of_on = dates.as_of_on
inner join buyers
    on
        candidates.customer_id = buyers.customer_id
        and candidates.as_of_on = buyers.as_of_on
left join outcomes
    on
        candidates.customer_id = outcomes.customer_id
        and candidates.as_of_on = outcomes.as_of_on
        and candidates.product_id = outcomes.product_id
where dates.split is not null
