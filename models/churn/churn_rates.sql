with

labels as (

    select * from {{ ref('churn_labels_computed') }}

),

dates as (

    select
        as_of_on,
        lead(as_of_on) over (order by as_of_on) as next_as_of_on
    from {{ ref('as_of_dates') }}

),

-- At the next date a naive label calls churned whoever has not bought since: most have had no time.
judged as (

    select
        labels.as_of_on,
        dates.next_as_of_on,
        labels.is_churned,
        case
            when dates.next_as_of_on is not null
                then
                    labels.returned_at is null
                    or labels.returned_at >= cast(dates.next_as_of_on as timestamp)
        end as is_naively_churned
    from labels
    inner join dates on labels.as_of_on = dates.as_of_on

)

select
    as_of_on,
    next_as_of_on,
    count(*) as active_customers,
    count(is_churned) as matured_customers,
    count(case when is_churned then 1 end) as churned_customers,
    cast(count(case when is_churned then 1 end) as double) / nullif(count(is_churned), 0) as churn_rate,
    cast(count(case when is_naively_churned then 1 end) as double) / nullif(count(is_naively_churned), 0)
        as naive_churn_rate
from judged
group by as_of_on, next_as_of_on
