{{ config(materialized='computed_table') }}

with

candidates as (

    select
        scores.*,
        choice.ranker,
        choice.model_version as served_version,
        case choice.ranker
            when 'model' then scores.score
            {%- for ranker, column, second in ranking_rules() %}
            when '{{ ranker }}' then nullif(cast({{ column }} as double), 0)
            {%- endfor %}
        end as rank_value,
        case choice.ranker
            {%- for ranker, column, second in ranking_rules() if second != 'null' %}
            when '{{ ranker }}' then cast({{ second }} as double)
            {%- endfor %}
        end as second_rank_value
    from {{ ref('candidate_scores') }} as scores
    inner join {{ ref('recommendation_dates') }} as dates on scores.as_of_on = dates.as_of_on
    cross join {{ ref('recommendation_choice') }} as choice
    where dates.is_newest and ({{ setting('recommend_owned') }} or not scores.is_owned)

),

-- What a rule knows nothing of fills its list up, the popular first.
ranked as (

    select
        *,
        row_number() over (
            partition by customer_id, as_of_on
            order by
                rank_value desc nulls last,
                second_rank_value desc nulls last,
                order_count_30d desc nulls last,
                product_id asc
        ) as place
    from candidates

)

select
    ranked.customer_id,
    ranked.as_of_on,
    ranked.segment,
    cast(ranked.place as integer) as rank,
    ranked.product_id,
    products.name as product_name,
    products.category,
    cast(case when ranked.ranker = 'model' then ranked.score end as double) as score,
    ranked.served_version as model_version,
    ranked.ranker,
    ranked.is_owned
from ranked
inner join {{ ref('stg_products') }} as products on ranked.product_id = products.product_id
where ranked.place <= {{ setting('recommendations_per_customer') }}
