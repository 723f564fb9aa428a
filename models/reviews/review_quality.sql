{% set is_cortex = setting_value('text_engine') == 'cortex' %}

with

texts as (

    select
        review_id,
        content_hash,
        count(*) over (partition by content_hash) as copy_count
    from {{ ref('review_texts') }}

),

{% if is_cortex -%}
-- The answer as a number: a half is the middle of three, and says nothing about how sure it is.
labelled as (

    select
        texts.review_id,
        case classified.quality_answer
            {% for label, category in quality_categories().items() -%}
            when '{{ category }}' then '{{ label }}'
            {% endfor -%}
        end as quality_label,
        case classified.quality_answer
            {% for label, category in quality_categories().items() -%}
            when '{{ category }}' then {{ {'detailed': 1, 'basic': 0.5, 'generic': 0}[label] }}
            {% endfor -%}
        end as quality_score
    from texts
    left join {{ ref('review_quality_classified') }} as classified on texts.content_hash = classified.content_hash

)

{% else -%}
scored as (

    select
        content_hash,
        sum(score_part) as score
    from {{ ref('review_quality_parts') }}
    group by content_hash

),

-- What several reviews say word by word tells of none of their purchases: it is shared among them.
rated as (

    select
        texts.review_id,
        cast(scored.score as double) / texts.copy_count as quality_score
    from texts
    left join scored on texts.content_hash = scored.content_hash

),

-- Every label whose limit is reached; the highest of them is the review's.
reached as (

    select
        rated.review_id,
        rated.quality_score,
        labels.quality_label,
        row_number() over (partition by rated.review_id order by labels.min_score desc nulls last) as place
    from rated
    left join {{ ref('review_quality_vocabulary') }} as labels on rated.quality_score >= labels.min_score

),

labelled as (

    select
        review_id,
        quality_label,
        quality_score
    from reached
    where place = 1

)

{% endif -%}
select
    review_id,
    quality_label,
    cast(quality_score as double) as quality_score,
    case
        when quality_label is null then 'unscored'
        else '{{ 'cortex' if is_cortex else 'embedded' }}'
    end as quality_source
from labelled
