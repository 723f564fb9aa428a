{{ config(materialized='view') }}

with

examples as (

    select * from {{ ref('review_sentiment_examples') }}

),

newest as (

    select max(created_on) as newest_on
    from examples

),

aged as (

    select
        examples.*,
        newest.newest_on - examples.created_on as age_days
    from examples
    cross join newest

),

assigned as (

    select
        *,
        {{ split_by_age('age_days', setting('review_test_days'), setting('review_validation_days')) }} as split
    from aged

),

-- A text that was learned from tests nothing.
new_to_the_model as (

    select
        *,
        row_number() over (order by created_at desc nulls last, review_id asc) as place,
        sum(character_count) over (
            order by created_at desc nulls last, review_id asc
            rows between unbounded preceding and current row
        ) as character_sum
    from assigned
    where split = 'train' or (split is not null and is_first_copy)

)

select
    split,
    review_id,
    created_at,
    created_on,
    content_hash,
    is_first_copy,
    rating,
    is_positive,
    label_definition_version,
    masked_text,
    character_count,
    exclamation_count,
    question_count,
    detected_language
from new_to_the_model
-- What n-grams of more texts weigh would not fit into memory.
where place <= {{ setting('max_rated_texts') }} and character_sum <= {{ setting('max_rated_characters') }}
