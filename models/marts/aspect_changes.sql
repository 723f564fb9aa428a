{% set least = setting('review_min_count') %}
{% set days = setting('aspect_change_days') %}
{% set examples = 5 %}

with

newest as (

    select max(created_at) as newest_at
    from {{ ref('review_facts') }}

),

-- Two windows of equal length up to the newest review, the recent one first.
mentions as (

    select
        aspects.review_id,
        aspects.aspect,
        aspects.sentiment_label,
        aspects.sentiment_score,
        reviews.created_at,
        reviews.created_at > {{ dbt.dateadd('day', '-' ~ days, 'newest.newest_at') }} as is_recent
    from {{ ref('review_aspects') }} as aspects
    inner join {{ ref('review_facts') }} as reviews on aspects.review_id = reviews.review_id
    cross join newest
    where reviews.created_at > {{ dbt.dateadd('day', '-2 * ' ~ days, 'newest.newest_at') }}

),

counted as (

    select
        aspect,
        count(case when is_recent then 1 end) as mention_count,
        count(case when is_recent and sentiment_label = 'negative' then 1 end) as negative_count,
        count(case when not is_recent then 1 end) as past_mention_count,
        count(case when not is_recent and sentiment_label = 'negative' then 1 end) as past_negative_count
    from mentions
    group by aspect

),

-- The strongest complaints, of these the newest.
complaints as (

    select
        aspect,
        review_id,
        row_number() over (
            partition by aspect
            order by sentiment_score asc, created_at desc nulls last, review_id asc
        ) as place
    from mentions
    where is_recent and sentiment_label = 'negative'

),

listed as (

    select
        aspect,
        {{ dbt.listagg('review_id', "', '", 'order by place') }} as example_review_ids
    from complaints
    where place <= {{ examples }}
    group by aspect

),

measured as (

    select
        *,
        mention_count >= {{ least }} as is_known,
        cast(negative_count as double) / nullif(mention_count, 0) as negative_share,
        cast(past_negative_count as double) / nullif(past_mention_count, 0) as past_negative_share,
        {% for edge in ['low', 'high'] -%}
        {{ wilson_interval('negative_count', 'mention_count', edge) }} as negative_share_{{ edge }},
        {{ share_difference_interval(
            'negative_count', 'mention_count', 'past_negative_count', 'past_mention_count', edge
        ) }} as change_{{ edge }},
        {% endfor -%}
        mention_count >= {{ least }} and past_mention_count >= {{ least }} as is_comparable
    from counted

)

select
    measured.aspect,
    measured.mention_count,
    measured.negative_count,
    measured.past_mention_count,
    measured.past_negative_count,
    {% for name in ['negative_share', 'negative_share_low', 'negative_share_high'] -%}
    case when measured.is_known then measured.{{ name }} end as {{ name }},
    {% endfor -%}
    case
        when measured.is_comparable then measured.negative_share - measured.past_negative_share
    end as negative_share_change,
    case when measured.is_comparable then measured.change_low end as negative_share_change_low,
    case when measured.is_comparable then measured.change_high end as negative_share_change_high,
    -- What can not be compared comes last.
    row_number() over (
        order by
            case when measured.is_comparable then 0 else 1 end asc,
            case
                when measured.is_comparable then measured.negative_share - measured.past_negative_share
            end desc nulls last,
            measured.negative_count desc nulls last,
            measured.aspect asc
    ) as rank,
    listed.example_review_ids
from measured
left join listed on measured.aspect = listed.aspect
