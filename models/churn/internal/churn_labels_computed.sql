{% set window_days = setting_value('churn_window_days') %}

with

customers as (

    select
        customer_id,
        as_of_on,
        cast(as_of_on as timestamp) as as_of_at,
        {{ dbt.dateadd('day', window_days, 'cast(as_of_on as timestamp)') }} as matures_at
    from {{ ref('customer_features_computed') }}
    where days_since_last_order <= {{ setting('churn_active_days') }}

),

watermark as (

    select watermark_at
    from {{ ref('source_watermarks') }}
    where table_name = 'orders'

),

definition as (

    select max(label_definition_version) as label_definition_version
    from {{ ref('label_definitions') }}
    where label_name = 'is_churned'

),

-- An order that was cancelled before its window was over kept nobody.
returns as (

    select
        customers.customer_id,
        customers.as_of_on,
        orders.order_id,
        orders.ordered_at,
        row_number() over (
            partition by customers.customer_id, customers.as_of_on
            order by orders.ordered_at, orders.order_id
        ) as place
    from customers
    inner join {{ ref('customer_orders') }} as orders
        on
            customers.customer_id = orders.customer_id
            and customers.as_of_at <= orders.ordered_at
            and customers.matures_at > orders.ordered_at
    where
        orders.is_purchase
        and (orders.cancelled_at is null or orders.cancelled_at >= customers.matures_at)

),

outcomes as (

    select
        customers.customer_id,
        customers.as_of_on,
        customers.matures_at,
        returns.order_id,
        returns.ordered_at as returned_at,
        customers.matures_at <= watermark.watermark_at as is_mature,
        definition.label_definition_version
    from customers
    left join returns
        on
            customers.customer_id = returns.customer_id
            and customers.as_of_on = returns.as_of_on
            and returns.place = 1
    cross join watermark
    cross join definition

)

select
    customer_id,
    as_of_on,
    cast(case when is_mature then order_id is null end as boolean) as is_churned,
    cast(case when is_mature then matures_at end as date) as matured_on,
    cast(case when is_mature then order_id end as {{ api.Column.translate_type('string') }}) as source_row_key,
    cast(label_definition_version as integer) as label_definition_version,
    returned_at
from outcomes
