{% set least = setting('review_min_count') %}

with

mentions as (

    select
        reviews.product_id,
        reviews.month_on,
        aspects.aspect,
        aspects.sentiment_label
    from {{ ref('review_aspects') }} as aspects
    inner join {{ ref('review_facts') }} as reviews on aspects.review_id = reviews.review_id
    where reviews.product_id is not null

),

counted as (

    select
        product_id,
        month_on,
        aspect,
        count(*) as mention_count,
        count(case when sentiment_label = 'positive' then 1 end) as positive_count,
        count(case when sentiment_label = 'negative' then 1 end) as negative_count
    from mentions
    group by product_id, month_on, aspect
    having count(*) >= {{ least }}

),

shares as (

    select
        *,
        cast(positive_count as double) / mention_count as positive_share,
        cast(negative_count as double) / mention_count as negative_share
    from counted

)

-- Of equal shares that of more mentions is surer.
select
    product_id,
    month_on,
    aspect,
    mention_count,
    positive_count,
    negative_count,
    row_number() over (
        partition by product_id, month_on
        order by negative_share desc nulls last, mention_count desc nulls last, aspect asc
    ) as worst_rank,
    row_number() over (
        partition by product_id, month_on
        order by positive_share desc nulls last, mention_count desc nulls last, aspect asc
    ) as best_rank
from shares
