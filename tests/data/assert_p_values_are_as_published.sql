-- Two-sided p-values of the normal distribution: Fisher, Statistical Methods for Research Workers (1925), table I.
-- The chance of a deviate of 3 or more is 0.002700; without a deviate there is none.
with

published as (

    select
        0.0 as deviate,
        1.0 as p_value
    union all
    select
        0.674490 as deviate,
        0.5 as p_value
    union all
    select
        -1.644854 as deviate,
        0.1 as p_value
    union all
    select
        1.959964 as deviate,
        0.05 as p_value
    union all
    select
        2.575829 as deviate,
        0.01 as p_value
    union all
    select
        -3.0 as deviate,
        0.0027 as p_value
    union all
    select
        cast(null as double) as deviate,
        cast(null as double) as p_value

),

computed as (

    select
        *,
        {{ normal_p_value('deviate') }} as computed_p_value
    from published

)

select * from computed
where round(computed_p_value, 5) is distinct from p_value
