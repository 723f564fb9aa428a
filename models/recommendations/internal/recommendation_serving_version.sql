{{ config(materialized='table') }}

-- A table of its own: the log gets a row in each build, and what reads this only where another version serves.
select model_version
from {{ ref('product_recommendations_trained') }}
where is_champion
qualify row_number() over (order by decision_number desc nulls last) = 1
