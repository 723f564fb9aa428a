{{ config(group='reviews') }}

select
    content_hash,
    count(*) as reviews
from {{ ref('review_sentiment') }}
group by content_hash
having
    count(distinct coalesce(sentiment_label, 'none')) > 1
    or count(distinct coalesce(language, 'none')) > 1
    or min(sentiment_score) <> max(sentiment_score)
