with

reviews as (

    select * from {{ ref('stg_reviews') }}

),

said as (

    select
        *,
        {{ title_and_text() }} as title_and_text
    from reviews

),

masked as (

    select
        *,
        {{ stored_text('title_and_text') }} as masked_text
    from said

)

select
    review_id,
    customer_id,
    product_id,
    created_at,
    rating,
    masked_text,
    {{ text_fingerprint('masked_text') }} as content_hash
from masked
