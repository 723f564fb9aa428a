-- Shares: Newcombe, Interval estimation for the difference between independent proportions, Statistics in
-- Medicine 17 (1998), table II, method 10. Means: 1, 2, 3 beside 4, 6, 8 by hand, the difference -4 and
-- its standard error the root of 1/3 + 4/3. Nothing has no interval. Any: by hand.
with

published as (

    select
        56 as positives,
        70 as total,
        48 as past_positives,
        80 as past_total,
        0.0524 as low,
        0.3339 as high
    union all
    select
        9 as positives,
        10 as total,
        3 as past_positives,
        10 as past_total,
        0.1705 as low,
        0.8090 as high
    union all
    select
        5 as positives,
        56 as total,
        0 as past_positives,
        29 as past_total,
        -0.0381 as low,
        0.1926 as high
    union all
    select
        1 as positives,
        2 as total,
        0 as past_positives,
        0 as past_total,
        cast(null as double) as low,
        cast(null as double) as high

),

computed as (

    select
        'share' as kind,
        low,
        high,
        {{ share_difference_interval('positives', 'total', 'past_positives', 'past_total', 'low') }} as computed_low,
        {{ share_difference_interval('positives', 'total', 'past_positives', 'past_total', 'high') }} as computed_high
    from published
    union all
    select
        'mean' as kind,
        round(-4 - 1.959963984540054 * sqrt(cast(5 as double) / 3), 4) as low,
        round(-4 + 1.959963984540054 * sqrt(cast(5 as double) / 3), 4) as high,
        {{ mean_difference_interval(6, 14, 3, 18, 116, 3, 'low') }} as computed_low,
        {{ mean_difference_interval(6, 14, 3, 18, 116, 3, 'high') }} as computed_high
    union all
    select
        'mean of one' as kind,
        cast(null as double) as low,
        cast(null as double) as high,
        {{ mean_difference_interval(6, 14, 3, 4, 16, 1, 'low') }} as computed_low,
        {{ mean_difference_interval(6, 14, 3, 4, 16, 1, 'high') }} as computed_high
    union all
    -- 0.5 [0.2, 0.9] less 0.3 [0.0, 0.7]: the ends that lead there are 3 and 4, 4 and 3 tenths away.
    select
        'unpaired' as kind,
        -0.3 as low,
        0.7 as high,
        {{ unpaired_difference_interval('0.5e0', '0.2e0', '0.3e0', '0.7e0', 'low') }} as computed_low,
        {{ unpaired_difference_interval('0.5e0', '0.9e0', '0.3e0', '0.0e0', 'high') }} as computed_high

)

select * from computed
where
    round(computed_low, 4) is distinct from low
    or round(computed_high, 4) is distinct from high
