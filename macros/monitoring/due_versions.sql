{#
  The versions that have windows which a table of counts does not hold as they are now: name of the task,
  model, version, those windows as SQL dates, and the version's profile. Asked before the table's query is
  written, because the query has the profile's edges in it: compared with numbers that stand in the query
  a million rows are counted in a third of the time that a join with a table of edges takes, and where
  nothing is due no row is read.

  windows: table of the windows. counted: table of the counts; none where all windows are due.
#}
{% macro due_versions(windows, counted=none) %}
    {% set found = [] %}
    {# Before anything returns: from here dbt knows what the model reads. #}
    {% set tasks = monitored_tasks() %}
    {% if not execute or load_relation(windows) is none %}{% do return(found) %}{% endif %}
    {% set due = run_query(
        'select task_name, model_name, model_version, cast(window_start_on as ' ~ api.Column.translate_type('string')
        ~ ') from ' ~ windows ~ ' as windows'
        ~ (' where ' ~ is_not_counted(counted) if counted is not none else '') ~ ' order by 1, 2, 3, 4'
    ) %}
    {% for task in tasks if due %}
        {% set profiles = {} %}
        {# The same trees can be trained twice, then under the same version; the newest decision counts. #}
        {% for row in run_query(
            'select model_name, model_version, profile from ' ~ task.trained
            ~ ' where profile is not null order by decision_number'
        ).rows %}
            {% do profiles.update({(row[0], row[1]): row[2]}) %}
        {% endfor %}
        {% for key, profile in profiles.items() %}
            {% set dates = [] %}
            {% for row in due.rows if row[0] == task.task_name and (row[1], row[2]) == key %}
                {% do dates.append("cast('" ~ row[3] ~ "' as date)") %}
            {% endfor %}
            {% if dates %}
                {% do found.append({
                    'task': task, 'model_name': key[0], 'model_version': key[1], 'windows': dates,
                    'columns': profile_columns(fromjson(profile)),
                }) %}
            {% endif %}
        {% endfor %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}

{# SQL: whether a table of counts does not hold a window as it is now. #}
{% macro is_not_counted(counted) -%}
    not exists (
        select 1
        from {{ counted }} as counted
        where
            counted.model_name = windows.model_name
            and counted.model_version = windows.model_version
            and counted.window_start_on = windows.window_start_on
            and counted.rows_hash = windows.rows_hash
    )
{%- endmacro %}

{#
  SQL: whether a row lies in the first window that a table of counts does not hold as it is now, or later.
  Asked before the query is written, so that no older row is read, and none where nothing is due.

  at: date of a row. windows: table of the windows. counted: table of the counts; none where all are due.
  condition: which windows it counts.
#}
{% macro is_from_due(at, windows, counted, condition) -%}
    {% if not execute or counted is none or load_relation(windows) is none -%}
        {% do return('true') %}
    {%- endif %}
    {% set first_on = run_query(
        'select cast(min(window_start_on) as ' ~ api.Column.translate_type('string') ~ ') from ' ~ windows
        ~ ' as windows where ' ~ condition ~ ' and ' ~ is_not_counted(counted)
    ).rows[0][0] %}
    {% do return(at ~ " >= cast('" ~ first_on ~ "' as date)" if first_on is not none else 'false') %}
{%- endmacro %}

{# Of a profile, the upper edges of each number's bins in their order, none for the last; and the levels. #}
{% macro profile_columns(bins) %}
    {% set columns = {'number': {}, 'level': {}} %}
    {% for each in bins if each.bin >= 0 %}
        {% do columns[each.kind].setdefault(each.column_name, []).append(each.upper_edge) %}
    {% endfor %}
    {% do return(columns) %}
{% endmacro %}

{# SQL: the bin of a number, -1 for none; an edge belongs to the bin below it. #}
{% macro number_bin(value, upper_edges) -%}
    case
        {% for edge in upper_edges %}
        when {{ value }} <= cast('{{ 'inf' if edge is none else edge }}' as double) then {{ loop.index0 }}
        {% endfor %}
        else -1
    end
{%- endmacro %}
