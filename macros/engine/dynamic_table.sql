{#
  dbt-snowflake compares a dynamic table's settings with those asked for, not its query, so that a
  changed model would go on with its old body (dbt-adapters issue 1825). This takes the place of its
  macro of the same name: a changed body counts as a change that replaces the table.

  `text` is the statement that made the table:
  https://docs.snowflake.com/en/sql-reference/sql/show-dynamic-tables
#}
{% macro snowflake__get_dynamic_table_configuration_changes(existing_relation, new_config) %}
    {% set asked_for_transient = new_config.get('transient') is not none %}
    {% set existing = adapter.describe_dynamic_table(existing_relation, asked_for_transient) %}
    {% set made_with = bare_sql(existing['dynamic_table'].rows[0]['text']) %}
    {% if not made_with.endswith('as(' ~ bare_sql(new_config.model.compiled_code) ~ ')') %}
        {% do log('The query of ' ~ existing_relation ~ ' has changed: replacing it.') %}
        {% do return({'requires_full_refresh': true}) %}
    {% endif %}
    {% do return(existing_relation.dynamic_table_config_changeset(existing, new_config.model)) %}
{% endmacro %}

{# A query without comments and white space, of which not all is stored; texts in quotes stay. #}
{% macro bare_sql(text) %}
    {% do return(modules.re.sub("('(?:[^']|'')*')|--[^\\n]*|[ \\t\\r\\n]+", '\\1', text or '').rstrip(';')) %}
{% endmacro %}

{#
  A post-hook of dynamic tables that Snowflake schedules: whatever reads the table later in this build
  reads it refreshed. Without a target lag dbt-snowflake refreshes it itself.
  https://docs.snowflake.com/en/user-guide/dynamic-tables/dbt
#}
{% macro refresh_dynamic_table(relation) %}
    {% if is_building() and config.get('materialized') == 'dynamic_table' and config.get('target_lag') %}
        {% do run_query('alter dynamic table ' ~ relation ~ ' refresh') %}
    {% endif %}
{% endmacro %}

{#
  At the start of a run: the environment names how dynamic tables are refreshed, and a folder of dbt_project.yml may
  say otherwise. Snowflake would refuse a value that it does not know at the first such table, when others have been
  built.
  https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table
#}
{% macro check_dynamic_tables() %}
    {% do check_target_lag('DYNAMIC_TABLE_TARGET_LAG', env_var('DYNAMIC_TABLE_TARGET_LAG', '')) %}
    {% do check_refresh_mode('DYNAMIC_TABLE_REFRESH_MODE', env_var('DYNAMIC_TABLE_REFRESH_MODE', '')) %}
    {% for node in graph.nodes.values() if node.config.get('materialized') == 'dynamic_table' %}
        {% do check_target_lag('target_lag of ' ~ node.name, node.config.get('target_lag')) %}
        {% do check_refresh_mode('refresh_mode of ' ~ node.name, node.config.get('refresh_mode')) %}
    {% endfor %}
{% endmacro %}

{#
  A minute is the least that Snowflake takes:
  https://docs.snowflake.com/en/user-guide/dynamic-tables/target-lag
#}
{% macro check_target_lag(named_by, lag) %}
    {% set given = modules.re.fullmatch('(?i)(downstream)|([1-9][0-9]*) (second|minute|hour|day)s?', lag | string) %}
    {% if lag and (not given or (given[3] and given[3] | lower == 'second' and given[2] | int < 60)) %}
        {% do stop(
            named_by ~ " is '" ~ lag ~ "'; give a time of 60 seconds or more, like 1 hour (seconds, minutes, hours, "
            ~ 'days), or DOWNSTREAM, or leave it out to refresh dynamic tables in each build.'
        ) %}
    {% endif %}
{% endmacro %}

{% macro check_refresh_mode(named_by, mode) %}
    {% if mode and mode | string | upper not in ('AUTO', 'INCREMENTAL', 'FULL') %}
        {% do stop(named_by ~ " is '" ~ mode ~ "'; give AUTO, INCREMENTAL or FULL.") %}
    {% endif %}
{% endmacro %}
