select
    content_hash,
    -- One text has one fingerprint; the smallest is any of them.
    min(masked_text) as masked_text,
    coalesce({{ setting('review_language') }}, 'und') as language -- noqa: references.keywords
from {{ ref('review_texts') }}
where {{ setting('text_engine') }} is not null
group by content_hash
