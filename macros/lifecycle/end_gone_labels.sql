{#
  A post-hook of a label history: a label that is gone, or not final any more, ends. What a version learned from are
  the labels valid at its decision, and one that was gone by then is none of them. Not `hard_deletes`, which takes
  the time from the clock, after the decisions of the run; here all times are starts of runs.

  observations: the labels as this run sees them. keys: the key of a label, a list.
#}
{% macro end_gone_labels(observations, keys) %}
    {% set started_at = '(select run_started_at from ' ~ ref('run_context') ~ ')' %}
    update {{ this }}
    set dbt_valid_to = {{ started_at }}
    where
        dbt_valid_from < {{ started_at }}
        and dbt_scd_id in (
            select history.dbt_scd_id
            from {{ this }} as history
            left join {{ observations }} as observed
                on
                    {% for key in keys %}
                    {{ 'and ' if not loop.first }}history.{{ key }} = observed.{{ key }}
                    {% endfor %}
            where history.dbt_valid_to is null and observed.{{ keys[0] }} is null
        )
{% endmacro %}
