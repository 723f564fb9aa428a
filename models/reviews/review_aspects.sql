with

texts as (

    select
        review_id,
        content_hash
    from {{ ref('review_texts') }}

),

-- Rows of an aspect that was taken out of the catalog stay in the table behind, and no longer count.
found as (

    select * from {{ ref('review_aspects_found') }}
    where
        is_mentioned
        and aspect in (select aspect from {{ ref('aspect_catalog') }})
        and content_hash in (select content_hash from {{ ref('review_contents') }})

)

select
    texts.review_id,
    found.aspect,
    found.sentiment_label,
    found.sentiment_score,
    found.opinion_count,
    found.vocabulary_version
from texts
inner join found on texts.content_hash = found.content_hash
