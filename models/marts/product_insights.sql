{% set least = setting('review_min_count') %}

with

months as (

    select * from {{ ref('product_months') }}

),

aspects as (

    select * from {{ ref('product_month_aspects') }}

),

topic_counts as (

    select
        product_id,
        month_on,
        topic_id,
        count(*) as topic_review_count
    from {{ ref('review_facts') }}
    where product_id is not null and topic_id <> 0
    group by product_id, month_on, topic_id

),

-- Of topics with equally many reviews the oldest.
main_topics as (

    select
        *,
        row_number() over (
            partition by product_id, month_on
            order by topic_review_count desc nulls last, topic_id asc
        ) as topic_rank
    from topic_counts

),

-- The month before, where the product had reviews then: a longer gap is no trend.
compared as (

    select
        months.*,
        past.rated_count as past_rated_count,
        past.rating_total as past_rating_total,
        past.rating_squares as past_rating_squares,
        past.scored_count as past_scored_count,
        past.negative_count as past_negative_count,
        coalesce(past.review_count, 0) as past_review_count,
        months.rated_count >= {{ least }} as has_rating,
        months.scored_count >= {{ least }} as has_sentiment,
        coalesce(months.rated_count >= {{ least }} and past.rated_count >= {{ least }}, false) as has_rating_change,
        coalesce(months.scored_count >= {{ least }} and past.scored_count >= {{ least }}, false) as has_sentiment_change
    from months
    left join months as past
        on
            months.product_id = past.product_id
            and months.month_on = cast({{ dbt.dateadd('month', 1, 'past.month_on') }} as date)

),

measured as (

    select
        *,
        cast(rating_total as double) / nullif(rated_count, 0) as mean_rating,
        {{ mean_interval('rating_total', 'rating_squares', 'rated_count', 'low') }} as mean_rating_low,
        {{ mean_interval('rating_total', 'rating_squares', 'rated_count', 'high') }} as mean_rating_high,
        cast(rating_total as double) / nullif(rated_count, 0)
        - cast(past_rating_total as double) / nullif(past_rated_count, 0) as rating_change,
        {% for edge in ['low', 'high'] -%}
        {{ mean_difference_interval(
            'rating_total', 'rating_squares', 'rated_count',
            'past_rating_total', 'past_rating_squares', 'past_rated_count', edge
        ) }} as rating_change_{{ edge }},
        {{ wilson_interval('negative_count', 'scored_count', edge) }} as negative_share_{{ edge }},
        {{ share_difference_interval(
            'negative_count', 'scored_count', 'past_negative_count', 'past_scored_count', edge
        ) }} as negative_share_change_{{ edge }},
        {% endfor -%}
        cast(positive_count as double) / nullif(scored_count, 0) as positive_share,
        cast(negative_count as double) / nullif(scored_count, 0) as negative_share,
        cast(negative_count as double) / nullif(scored_count, 0)
        - cast(past_negative_count as double) / nullif(past_scored_count, 0) as negative_share_change
    from compared

)

select
    measured.product_id,
    products.name as product_name,
    products.category as product_category,
    measured.month_on,
    measured.review_count,
    measured.past_review_count,
    measured.rated_count,
    {% for name in ['mean_rating', 'mean_rating_low', 'mean_rating_high'] -%}
    case when measured.has_rating then measured.{{ name }} end as {{ name }},
    {% endfor -%}
    {% for name in ['rating_change', 'rating_change_low', 'rating_change_high'] -%}
    case when measured.has_rating_change then measured.{{ name }} end as {{ name }},
    {% endfor -%}
    case
        when not measured.has_rating_change then null
        when measured.rating_change_low > 0 then 'better'
        when measured.rating_change_high < 0 then 'worse'
        else 'unclear'
    end as rating_trend,
    measured.scored_count,
    {% for name in ['positive_share', 'negative_share', 'negative_share_low', 'negative_share_high'] -%}
    case when measured.has_sentiment then measured.{{ name }} end as {{ name }},
    {% endfor -%}
    {% for name in ['negative_share_change', 'negative_share_change_low', 'negative_share_change_high'] -%}
    case when measured.has_sentiment_change then measured.{{ name }} end as {{ name }},
    {% endfor -%}
    worst.aspect as worst_aspect,
    worst.mention_count as worst_aspect_count,
    cast(worst.negative_count as double) / worst.mention_count as worst_aspect_negative_share,
    best.aspect as best_aspect,
    best.mention_count as best_aspect_count,
    cast(best.positive_count as double) / best.mention_count as best_aspect_positive_share,
    case when measured.review_count >= {{ least }} then main_topics.topic_id end as main_topic_id,
    case
        when measured.review_count >= {{ least }}
            then cast(main_topics.topic_review_count as double) / measured.review_count
    end as main_topic_share
from measured
left join {{ ref('stg_products') }} as products on measured.product_id = products.product_id
left join aspects as worst
    on
        measured.product_id = worst.product_id
        and measured.month_on = worst.month_on
        and worst.worst_rank = 1
        and worst.negative_count > 0
left join aspects as best
    on
        measured.product_id = best.product_id
        and measured.month_on = best.month_on
        and best.best_rank = 1
        and best.positive_count > 0
left join main_topics
    on
        measured.product_id = main_topics.product_id
        and measured.month_on = main_topics.month_on
        and main_topics.topic_rank = 1
