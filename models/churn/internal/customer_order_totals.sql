{% set windows = order_windows() %}

with

dates as (

    select * from {{ ref('as_of_dates') }}

),

orders as (

    select * from {{ ref('customer_orders') }}

),

days as (

    select distinct cast(ordered_at as date) as ordered_on
    from orders

),

-- As-of dates and windows begin with a day, so the day of an order says which of them it is in. Orders
-- meet these few rows by equality: compared with each date by inequality, all of them would be sorted.
looked_at as (

    select
        days.ordered_on,
        {%- for days in windows %}
        days.ordered_on >= {{ dbt.dateadd('day', -days, 'dates.as_of_on') }} as is_in_{{ days }}d,
        {%- endfor %}
        dates.as_of_on,
        dates.as_of_at
    from days
    inner join dates on days.ordered_on < dates.as_of_on

)

select
    orders.customer_id,
    looked_at.as_of_on,
    cast(count(case when orders.is_purchase then 1 end) as bigint) as order_count,
    {%- for days in windows %}
    cast(count(case when orders.is_purchase and looked_at.is_in_{{ days }}d then 1 end) as bigint)
        as order_count_{{ days }}d,
    {%- endfor %}
    cast(sum(case when orders.is_purchase then orders.amount else 0 end) as decimal(18, 2)) as order_amount,
    {%- for days in windows %}
    cast(
        sum(case when orders.is_purchase and looked_at.is_in_{{ days }}d then orders.amount else 0 end)
        as decimal(18, 2)
    ) as order_amount_{{ days }}d,
    {%- endfor %}
    min(case when orders.is_purchase then orders.ordered_at end) as first_ordered_at,
    max(case when orders.is_purchase then orders.ordered_at end) as last_ordered_at,
    -- Whole numbers: their sums do not depend on the order of rows.
    sum(orders.seconds_since_prior_order) as gap_seconds,
    sum(orders.seconds_since_prior_order * orders.seconds_since_prior_order) as squared_gap_seconds,
    max(orders.seconds_since_prior_order) as max_gap_seconds,
    count(case when orders.reversed_at < looked_at.as_of_at then 1 end) as reversal_count,
    count(case when orders.is_purchase and orders.is_discounted then 1 end) as discounted_count,
    max(orders.ordered_at) as newest_order_at
from orders
inner join looked_at on cast(orders.ordered_at as date) = looked_at.ordered_on
group by orders.customer_id, looked_at.as_of_on
having count(case when orders.is_purchase then 1 end) > 0
