{% set least = setting('review_min_count') %}

with

reviews as (

    select * from {{ ref('review_facts') }}

),

months as (

    select
        month_on,
        count(*) as month_review_count
    from reviews
    group by month_on

),

-- A month without a review of a topic has a row: none is a number, too.
cells as (

    select
        months.month_on,
        months.month_review_count,
        topics.topic_id,
        topics.terms
    from months
    cross join {{ ref('topics') }} as topics

),

counted as (

    select
        month_on,
        topic_id,
        {{ review_measures() }}
    from reviews
    group by month_on, topic_id

),

filled as (

    select
        cells.*,
        counted.rating_total,
        counted.rating_squares,
        coalesce(counted.review_count, 0) as review_count,
        coalesce(counted.rated_count, 0) as rated_count,
        coalesce(counted.scored_count, 0) as scored_count,
        coalesce(counted.positive_count, 0) as positive_count,
        coalesce(counted.negative_count, 0) as negative_count
    from cells
    left join counted on cells.month_on = counted.month_on and cells.topic_id = counted.topic_id

)

select
    month_on,
    topic_id,
    terms,
    review_count,
    month_review_count,
    cast(review_count as double) / month_review_count as review_share,
    {{ wilson_interval('review_count', 'month_review_count', 'low') }} as review_share_low,
    {{ wilson_interval('review_count', 'month_review_count', 'high') }} as review_share_high,
    rated_count,
    case when rated_count >= {{ least }} then cast(rating_total as double) / rated_count end as mean_rating,
    {% for edge in ['low', 'high'] -%}
    case
        when rated_count >= {{ least }}
            then {{ mean_interval('rating_total', 'rating_squares', 'rated_count', edge) }}
    end as mean_rating_{{ edge }},
    {% endfor -%}
    scored_count,
    case when scored_count >= {{ least }} then cast(positive_count as double) / scored_count end as positive_share,
    case when scored_count >= {{ least }} then cast(negative_count as double) / scored_count end as negative_share,
    case
        when scored_count >= {{ least }} then {{ wilson_interval('negative_count', 'scored_count', 'low') }}
    end as negative_share_low,
    case
        when scored_count >= {{ least }} then {{ wilson_interval('negative_count', 'scored_count', 'high') }}
    end as negative_share_high
from filled
