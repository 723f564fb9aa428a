{#
  Query: what training stored of each watched version, the columns `carried` of the decision logs, beside
  task_name, model_name and model_version. The same trees can be trained twice, then under the same
  version; the newest decision counts.
#}
{% macro stored_profiles(carried) %}
{% for task in monitored_tasks() %}
    select
        '{{ task.task_name }}' as task_name,
        model_name,
        model_version,
        {{ carried | join(',\n        ') }}
    from {{ task.trained }}
    where profile is not null
    qualify row_number() over (partition by model_name, model_version order by decision_number desc nulls last) = 1
    {{ 'union all' if not loop.last }}
{% endfor %}
{% endmacro %}

{#
  Query: the counts of windows as they are now. A window of which no row is left, or that is being counted
  anew, does not agree with its fingerprint.
#}
{% macro bins_now() %}
    select bins.*
    from {{ ref('monitored_bins') }} as bins
    inner join {{ ref('monitored_windows') }} as windows
        on
            bins.model_name = windows.model_name
            and bins.model_version = windows.model_version
            and bins.window_start_on = windows.window_start_on
            and bins.rows_hash = windows.rows_hash
{% endmacro %}
