{% set windows = [7, 30, 90, 365] %}
{% set window_days = setting_value('recommendation_window_days') %}

-- Orders strictly before the as-of date. One that was taken back before it is not history; one that
-- was taken back later was still a purchase on that date.
select
    purchases.customer_id,
    dates.as_of_on,
    dates.as_of_at,
    purchases.product_id,
    count(*) as order_count,
    {%- for days in windows %}
    count(case when purchases.ordered_at >= {{ dbt.dateadd('day', -days, 'dates.as_of_at') }} then 1 end)
        as order_count_{{ days }}d,
    {%- endfor %}
    -- The same days as the window ahead, a year ago.
    count(
        case
            when
                purchases.ordered_at >= {{ dbt.dateadd('day', -365, 'dates.as_of_at') }}
                and purchases.ordered_at < {{ dbt.dateadd('day', window_days - 365, 'dates.as_of_at') }}
                then 1
        end
    ) as season_order_count,
    sum(purchases.quantity) as quantity,
    sum(purchases.amount) as amount,
    min(purchases.ordered_at) as first_bought_at,
    max(purchases.ordered_at) as last_bought_at
from {{ ref('recommendation_dates') }} as dates
inner join {{ ref('customer_purchases') }} as purchases on dates.as_of_at > purchases.ordered_at
where purchases.cancelled_at is null or purchases.cancelled_at >= dates.as_of_at
group by purchases.customer_id, dates.as_of_on, dates.as_of_at, purchases.product_id
