{#
  What NDCG@10 adds up (Järvelin and Kekäläinen, 2002): CTEs `gains`, what a hit counts at each place, and
  `best`, what a list counts at best of which so many were bought. Decimals, so that the order in which
  they are added does not show.
#}
{% macro ndcg_gains() %}
numbers as (

    {{ dbt.generate_series(measured_places()) }}

),

gains as (

    select
        cast(generated_number as integer) as place,
        cast(ln(2) / ln(generated_number + 1) as decimal(9, 6)) as gain
    from numbers

),

best as (

    select
        upto.place as bought_count,
        sum(gains.gain) as best_gain
    from gains as upto
    inner join gains on upto.place >= gains.place
    group by upto.place

)
{% endmacro %}
