{#
  Stops where `as_of` lies before the first event of the shop: every row would be rejected and the
  build would end, green and empty, for a mistyped year.
#}
{% macro check_as_of() %}
    {% if is_building() and setting_value('as_of') is not none %}
        {% set found %}
            select
                count(*) as all_rows,
                count(case when reject_reason is null then 1 end) as accepted_rows,
                min(case when reject_reason = 'later_than_as_of' then started_at end) as first_at
            from {{ ref('checked_sessions') }}
        {% endset %}
        {% set row = run_query(found).rows[0] %}
        {% if row[1] == 0 and row[2] is not none %}
            {{ stop(
                "Setting 'as_of' is " ~ setting_value('as_of') ~ ', before the first session of the shop ('
                ~ row[2] ~ '); give a later time, or null to use the newest data.'
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}

{# Whether this is the moment at which a model is built, when queries against its parents may run. #}
{% macro is_building() %}
    {% do return(execute and flags.WHICH in ('run', 'build')) %}
{% endmacro %}
