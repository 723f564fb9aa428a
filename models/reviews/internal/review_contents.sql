-- `und` is undetermined in ISO 639: a null would equal nothing, and the text be read anew in each build.
select
    texts.content_hash,
    texts.masked_text,
    coalesce({{ setting('review_language') }}, languages.language, 'und') as language -- noqa: references.keywords
from {{ ref('review_distinct_texts') }} as texts
left join {{ ref('review_languages_detected') }} as languages on texts.content_hash = languages.content_hash
where {{ setting('text_engine') }} is not null
