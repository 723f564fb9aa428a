{#
  Query: the as-of dates of `examples` (mature rows with as_of_on and matured_on) that a model learns
  from, each with its `split`. Label windows of successive dates overlap, so splits are purged: the
  train dates' labels are final by the first validation date and the validation dates' by the first
  test date. Dates in between belong to no split. Of the dates to train on the newest `train_dates` are
  taken, by default `train_as_of_dates`. (Lopez de Prado, Advances in Financial Machine
  Learning, 2018, chapter 7.)
#}
{% macro as_of_splits(examples, train_dates=setting('train_as_of_dates')) %}
    with

    dates as (

        select
            as_of_on,
            max(matured_on) as matured_on
        from {{ examples }}
        group by as_of_on

    ),

    newest as (

        select max(as_of_on) as test_to_on
        from dates

    ),

    test_window as (

        select
            max(newest.test_to_on) as test_to_on,
            min(dates.as_of_on) as test_from_on
        from dates
        cross join newest
        where dates.as_of_on > {{ days_before('newest.test_to_on', 'test_days') }}

    ),

    newest_validation as (

        select max(dates.as_of_on) as validation_to_on
        from dates
        cross join test_window
        where dates.matured_on <= test_window.test_from_on

    ),

    validation_window as (

        select
            max(newest_validation.validation_to_on) as validation_to_on,
            min(dates.as_of_on) as validation_from_on
        from dates
        cross join newest_validation
        where
            dates.as_of_on > {{ days_before('newest_validation.validation_to_on', 'validation_days') }}
            and dates.as_of_on <= newest_validation.validation_to_on

    ),

    ranked as (

        select
            dates.as_of_on,
            row_number() over (order by dates.as_of_on desc nulls last) as place
        from dates
        cross join validation_window
        where dates.matured_on <= validation_window.validation_from_on

    )

    select
        dates.as_of_on,
        case
            when dates.as_of_on >= test_window.test_from_on then 'test'
            when
                dates.as_of_on between validation_window.validation_from_on and validation_window.validation_to_on
                then 'validation'
            when ranked.place <= {{ train_dates }} then 'train'
        end as split
    from dates
    cross join test_window
    cross join validation_window
    left join ranked on dates.as_of_on = ranked.as_of_on
{% endmacro %}

{# SQL: the date as many days before another one as a setting says. #}
{% macro days_before(day, name) -%}
    cast({{ dbt.dateadd('day', -setting_value(name), day) }} as date)
{%- endmacro %}
