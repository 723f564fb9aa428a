{{ config(materialized='view') }}

with

splits as (

    {{ as_of_splits(ref('churn_examples')) }}

)

select
    splits.split,
    examples.*
from splits
inner join {{ ref('churn_examples') }} as examples on splits.as_of_on = examples.as_of_on
where splits.split is not null
