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
  At the start of a run: the environment names how dynamic tables are refreshed, and Snowflake would
  refuse a value that it does not know at the first of them, when others have been built.
  https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table
#}
{% macro check_dynamic_tables() %}
    {% set lag = env_var('DYNAMIC_TABLE_TARGET_LAG', '') %}
    {% if lag and not modules.re.fullmatch('(?i)downstream|[1-9][0-9]* (second|minute|hour|day)s?', lag) %}
        {% do stop(
            "DYNAMIC_TABLE_TARGET_LAG is '" ~ lag ~ "'; give a time like 1 hour (seconds, minutes, hours, days), "
            ~ 'or leave it out to refresh dynamic tables in each build.'
        ) %}
    {% endif %}
    {% set mode = env_var('DYNAMIC_TABLE_REFRESH_MODE', 'AUTO') %}
    {% if mode.upper() not in ('AUTO', 'INCREMENTAL', 'FULL') %}
        {% do stop("DYNAMIC_TABLE_REFRESH_MODE is '" ~ mode ~ "'; give AUTO, INCREMENTAL or FULL.") %}
    {% endif %}
{% endmacro %}
