with

reviews as (

    select *
    from {{ ref('review_facts') }}
    where product_id is not null

)

select
    product_id,
    month_on,
    count(*) as review_count,
    count(rating) as rated_count,
    sum(rating) as rating_total,
    sum(rating * rating) as rating_squares,
    count(sentiment_label) as scored_count,
    count(case when sentiment_label = 'positive' then 1 end) as positive_count,
    count(case when sentiment_label = 'negative' then 1 end) as negative_count
from reviews
group by product_id, month_on
