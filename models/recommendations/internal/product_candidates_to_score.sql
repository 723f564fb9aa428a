{{ config(materialized='view') }}

-- The newest date, which is served, and the one that rankings are measured on. The model has learned
-- from the others: their scores would be of no use to anybody.
select candidates.*
from {{ ref('product_candidates') }} as candidates
inner join {{ ref('recommendation_dates') }} as dates on candidates.as_of_on = dates.as_of_on
where dates.is_newest or dates.split = 'test'
