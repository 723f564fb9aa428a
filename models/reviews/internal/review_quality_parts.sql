{% set features = [
    'word_count', 'aspect_count', 'number_count', 'time_word_count', 'experience_word_count'
] %}

with

-- Texts that are no longer read stay in the table behind.
counted as (

    select * from {{ ref('review_details_counted') }}
    where content_hash in (select content_hash from {{ ref('review_contents') }})

),

amounts as (

    {% for feature in features %}
    select
        content_hash,
        '{{ feature }}' as feature,
        {{ feature }} as amount
    from counted
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    amounts.content_hash,
    amounts.feature,
    amounts.amount,
    -- A decimal: the sum of doubles would depend on the order of rows.
    cast(
        weights.weight * least(amounts.amount, weights.full_at) / weights.full_at as decimal(18, 9)
    ) as score_part
from amounts
inner join {{ ref('review_quality_weights') }} as weights on amounts.feature = weights.feature
