-- Each customer is in one segment, so the segments' customers are those of all; and one ranker serves.
select
    as_of_on,
    ranker,
    item_kind,
    sum(case when segment = 'ALL' then customers else 0 end) as customers,
    sum(case when segment <> 'ALL' then customers else 0 end) as customers_of_segments,
    count(case when (hit_rate_10 is null) = (customers > 0) then 1 end)
        as rows_without_sense,
    count(distinct is_served) as answers
from {{ ref('recommendation_quality') }}
group by as_of_on, ranker, item_kind
having
    sum(case when segment = 'ALL' then customers else 0 end)
    <> sum(case when segment <> 'ALL' then customers else 0 end)
    or count(case when (hit_rate_10 is null) = (customers > 0) then 1 end) > 0
    or count(distinct is_served) > 1
