{{ config(materialized='computed_table') }}

{% set string_type = api.Column.translate_type('string') %}

with

outcomes as (

    select outcomes.*
    from {{ ref('recommendation_outcomes') }} as outcomes
    inner join {{ ref('recommendation_dates') }} as dates on outcomes.as_of_on = dates.as_of_on
    where dates.split = 'test'

),

buyers as (

    select distinct
        customer_id,
        as_of_on
    from outcomes

),

candidates as (

    select
        scores.*,
        outcomes.product_id is not null as is_bought
    from {{ ref('candidate_scores') }} as scores
    inner join buyers
        on
            scores.customer_id = buyers.customer_id
            and scores.as_of_on = buyers.as_of_on
    left join outcomes
        on
            scores.customer_id = outcomes.customer_id
            and scores.as_of_on = outcomes.as_of_on
            and scores.product_id = outcomes.product_id

),

-- What a ranker knows nothing of is not in its list.
ranked as (

    select
        customer_id,
        as_of_on,
        product_id,
        is_owned,
        is_bought,
        'model' as ranker,
        model_version,
        score as rank_value,
        cast(null as double) as second_rank_value
    from candidates
    -- Rows that the version has learned from would flatter it.
    where score is not null and sample_role in ('test', 'new')

    {% for ranker, column, second in ranking_rules() %}
    union all

    select
        customer_id,
        as_of_on,
        product_id,
        is_owned,
        is_bought,
        '{{ ranker }}' as ranker,
        '{{ ranker }}' as model_version,
        cast({{ column }} as double) as rank_value,
        cast({{ second }} as double) as second_rank_value
    from candidates
    where {{ column }} > 0
    {% endfor %}

),

kinds as (

    {% for kind, condition in item_kinds() %}
    select
        *,
        '{{ kind }}' as item_kind
    from ranked
    where {{ condition }}
    {% if not loop.last -%}
    union all
    {%- endif %}
    {% endfor %}

),

placed as (

    select
        *,
        row_number() over (
            partition by customer_id, as_of_on, item_kind, ranker
            order by rank_value desc nulls last, second_rank_value desc nulls last, product_id asc
        ) as place
    from kinds

)

select
    customer_id,
    as_of_on,
    cast(item_kind as {{ string_type }}) as item_kind,
    cast(ranker as {{ string_type }}) as ranker,
    cast(model_version as {{ string_type }}) as model_version,
    cast(place as integer) as place,
    product_id,
    is_bought
from placed
where place <= {{ measured_places() }}
