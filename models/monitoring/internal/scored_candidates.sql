-- A customer who buys nothing has no answer to what was offered: training leaves those out, and so does this.
select
    'product_recommendations' as task_name,
    scored.model_name,
    scored.model_version,
    scored.customer_id as entity_id,
    scored.product_id,
    scored.as_of_on,
    scored.score,
    scored.sample_role,
    examples.is_bought as is_positive,
    scored.features_hash
from {{ ref('product_recommendations_scored') }} as scored
inner join {{ ref('product_recommendations_training_set') }} as examples
    on
        scored.customer_id = examples.customer_id
        and scored.as_of_on = examples.as_of_on
        and scored.product_id = examples.product_id
