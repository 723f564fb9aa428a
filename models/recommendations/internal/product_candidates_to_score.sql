-- All of the newest date, which is served, and of the date that rankings are measured on. The model has
-- learned from the others: their scores would be of no use to anybody.
select
    candidates.*,
    {{ row_hash(candidate_features()) }} as features_hash
from {{ ref('product_candidates_computed') }} as candidates
inner join {{ ref('recommendation_dates') }} as dates on candidates.as_of_on = dates.as_of_on
where dates.is_newest or dates.split = 'test'
