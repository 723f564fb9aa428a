-- 81 of 263 and 1 of 29: Newcombe, Two-sided confidence intervals for the single proportion, Statistics
-- in Medicine 17 (1998), table I, method 3. No rows have no interval. Twice as many of twice as many that are alike by
-- two tell as much.
with

published as (

    select
        81 as positives,
        263 as total,
        0.2553 as low,
        0.3662 as high
    union all
    select
        1 as positives,
        29 as total,
        0.0061 as low,
        0.1718 as high
    union all
    select
        0 as positives,
        20 as total,
        0.0 as low,
        0.1611 as high
    union all
    select
        0 as positives,
        0 as total,
        cast(null as double) as low,
        cast(null as double) as high

),

computed as (

    select
        *,
        {{ wilson_interval('positives', 'total', 'low') }} as computed_low,
        {{ wilson_interval('positives', 'total', 'high') }} as computed_high,
        {{ wilson_interval('(2 * positives)', '(2 * total)', 'low', '2e0') }} as alike_low,
        {{ wilson_interval('(2 * positives)', '(2 * total)', 'high', '2e0') }} as alike_high
    from published

)

select * from computed
where
    round(computed_low, 4) is distinct from low
    or round(computed_high, 4) is distinct from high
    or round(alike_low, 4) is distinct from low
    or round(alike_high, 4) is distinct from high
