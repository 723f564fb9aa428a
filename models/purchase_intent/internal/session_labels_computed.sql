with

sessions as (

    select * from {{ ref('stg_sessions') }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

watermarks as (

    select
        max(case when table_name = 'sessions' then watermark_at end) as sessions_watermark_at,
        max(case when table_name = 'orders' then watermark_at end) as orders_watermark_at
    from {{ ref('source_watermarks') }}

),

definition as (

    select max(label_definition_version) as label_definition_version
    from {{ ref('label_definitions') }}
    where label_name = 'is_purchase'

),

windows as (

    select
        session_id,
        session_on,
        started_at,
        is_purchase,
        {{ dbt.dateadd('hour', setting('session_label_hours'), 'started_at') }} as matures_at
    from sessions

),

purchases as (

    select
        windows.session_id,
        min(orders.order_id) as order_id
    from windows
    inner join orders on windows.session_id = orders.session_id
    where orders.ordered_at >= windows.started_at and orders.ordered_at < windows.matures_at
    group by windows.session_id

),

-- A recorded outcome is final once the sessions have passed its window. One that is derived from
-- orders needs the orders to have passed it too; with no orders at all it stays unknown.
outcomes as (

    select
        windows.session_id,
        windows.session_on,
        windows.matures_at,
        coalesce(windows.is_purchase, purchases.order_id is not null) as is_purchase,
        case when windows.is_purchase is null then 'orders' else 'recorded' end as label_source,
        case
            when windows.is_purchase is null then purchases.order_id else windows.session_id
        end as source_row_key,
        windows.matures_at <= watermarks.sessions_watermark_at
        and (
            windows.is_purchase is not null
            or coalesce(windows.matures_at <= watermarks.orders_watermark_at, false)
        ) as is_mature,
        definition.label_definition_version
    from windows
    left join purchases on windows.session_id = purchases.session_id
    cross join watermarks
    cross join definition

)

select
    session_id,
    session_on,
    cast(case when is_mature then is_purchase end as boolean) as is_purchase,
    cast(case when is_mature then matures_at end as date) as matured_on,
    cast(case when is_mature then label_source end as {{ api.Column.translate_type('string') }}) as label_source,
    cast(case when is_mature then source_row_key end as {{ api.Column.translate_type('string') }}) as source_row_key,
    cast(label_definition_version as integer) as label_definition_version
from outcomes
