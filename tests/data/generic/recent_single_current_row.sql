{#
  Every key of a snapshot has exactly one current row, the one most recent: fails with keys that
  have none or several, or whose current row began before another of their rows.

  columns: the key of the snapshot, a list. may_end: whether a key may have no current row.
#}
{% test recent_single_current_row(model, columns, may_end=false) %}
    {%- set key = columns | join(', ') %}
    select
        {{ key }},
        count(case when dbt_valid_to is null then 1 end) as current_rows,
        max(case when dbt_valid_to is null then dbt_valid_from end) as current_from,
        max(dbt_valid_from) as newest_from
    from {{ model }}
    group by {{ key }}
    having
        count(case when dbt_valid_to is null then 1 end) {{ '> 1' if may_end else '<> 1' }}
        or max(case when dbt_valid_to is null then dbt_valid_from end) < max(dbt_valid_from)
{% endtest %}
