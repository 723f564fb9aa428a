{# Years of an age band: narrower ones hold too few people to say anything of. #}
{% set years = 20 %}

with

customers as (

    select
        customer_id,
        gender,
        cast(floor(age / {{ years }}) * {{ years }} as integer) as age_from,
        location
    from {{ ref('stg_customers') }}

),

test_rows as (

    select
        scored.model_name,
        scored.model_version,
        scored.is_positive,
        cast(scored.score as decimal(18, 12)) as score,
        customers.gender,
        customers.age_from || ' to ' || (customers.age_from + {{ years - 1 }}) as age_band,
        customers.location
    from {{ ref('scored_rows') }} as scored
    left join {{ ref('session_features') }} as sessions
        on scored.task_name = 'purchase_intent' and scored.entity_id = sessions.session_id
    -- Visitors who did not sign in are nobody's; they are a group of their own.
    left join customers
        on case scored.task_name when 'churn' then scored.entity_id else sessions.customer_id end
            = customers.customer_id
    where
        scored.task_name in ('churn', 'purchase_intent')
        and scored.sample_role = 'test'
        and scored.is_positive is not null

),

placed as (

    {% for column_name in protected_attributes().values() %}
    select
        model_name,
        model_version,
        '{{ column_name }}' as column_name,
        coalesce({{ column_name }}, 'not known') as slice,
        is_positive,
        score
    from test_rows
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        model_name,
        model_version,
        column_name,
        slice,
        count(*) as test_rows,
        count(case when is_positive then 1 end) as positives,
        cast(sum(score) as double) as expected_positives,
        count(*) >= {{ setting('slice_min_rows') }} as is_enough
    from placed
    group by model_name, model_version, column_name, slice

)

select
    model_name,
    model_version,
    column_name,
    slice,
    cast(test_rows as bigint) as test_rows,
    cast(case when is_enough then positives end as bigint) as positives,
    case when is_enough then expected_positives / test_rows end as expected_rate,
    case when is_enough then cast(positives as double) / test_rows end as observed_rate,
    case when is_enough then {{ wilson_interval('positives', 'test_rows', 'low') }} end as observed_rate_low,
    case when is_enough then {{ wilson_interval('positives', 'test_rows', 'high') }} end as observed_rate_high
from counted
