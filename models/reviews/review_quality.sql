{% set is_zero_shot = setting_value('text_zero_shot_directory') is not none %}
{% set source = {
    'cortex': 'cortex',
    'huggingface': 'huggingface' if is_zero_shot else 'embedded',
}.get(setting_value('text_engine'), 'embedded') %}

with

texts as (

    select
        review_id,
        content_hash,
        count(*) over (partition by content_hash) as copy_count
    from {{ ref('review_texts') }}

),

{% if source == 'cortex' -%}
-- The answer as a number: a half is the middle of three, and says nothing about how sure it is.
labelled as (

    select
        texts.review_id,
        case classified.quality_answer
            {% for label, asked in quality_categories().items() -%}
            when '{{ asked.category }}' then '{{ label }}'
            {% endfor -%}
        end as quality_label,
        case classified.quality_answer
            {% for asked in quality_categories().values() -%}
            when '{{ asked.category }}' then {{ asked.score }}
            {% endfor -%}
        end as quality_score
    from texts
    left join {{ ref('review_quality_classified') }} as classified on texts.content_hash = classified.content_hash

)

{% elif source == 'huggingface' -%}
labelled as (

    select
        texts.review_id,
        judged.quality_label,
        judged.quality_score
    from texts
    left join {{ ref('review_quality_zero_shot') }} as judged on texts.content_hash = judged.content_hash

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
        else '{{ source }}'
    end as quality_source
from labelled
