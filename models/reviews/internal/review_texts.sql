with

reviews as (

    select * from {{ ref('stg_reviews') }}

),

-- Masked before it is cut: a cut through an address would leave half of it.
masked as (

    select
        review_id,
        created_at,
        left({{ masked_text('text') }}, {{ setting('max_text_characters') }}) as masked_text
    from reviews

)

select
    review_id,
    created_at,
    masked_text,
    md5(masked_text) as content_hash
from masked
