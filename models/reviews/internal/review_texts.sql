with

reviews as (

    select * from {{ ref('stg_reviews') }}

),

-- A title is the first words of what was said: it often holds the verdict that the text explains.
said as (

    select
        *,
        concat(coalesce(nullif(trim(title), '') || chr(10), ''), text) as title_and_text
    from reviews

),

-- Masked before it is cut: a cut through an address would leave half of it.
masked as (

    select
        *,
        left({{ masked_text('title_and_text') }}, {{ setting('max_text_characters') }}) as masked_text
    from said

)

select
    review_id,
    customer_id,
    product_id,
    created_at,
    rating,
    masked_text,
    md5(masked_text) as content_hash
from masked
