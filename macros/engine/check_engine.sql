{# At the start of a run that builds: stops where the engine is not set up as the models need it. #}
{% macro check_engine() %}
    {% if is_building() %}{{ return(adapter.dispatch('check_engine')()) }}{% endif %}
{% endmacro %}

{% macro default__check_engine() %}
    {{ exceptions.raise_compiler_error('The project is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__check_engine() %}{% endmacro %}

{#
  `timestamp` has to mean a time without a zone, as in DuckDB:
  https://docs.snowflake.com/en/sql-reference/parameters#timestamp-type-mapping
#}
{% macro snowflake__check_engine() %}
    {% set mapping = run_query("show parameters like 'timestamp_type_mapping' in session").rows[0]['value'] %}
    {% if mapping != 'TIMESTAMP_NTZ' %}
        {% do stop(
            'The parameter TIMESTAMP_TYPE_MAPPING is ' ~ mapping ~ ' for user ' ~ target.user
            ~ '; set it to TIMESTAMP_NTZ (alter user ... set timestamp_type_mapping = timestamp_ntz).'
        ) %}
    {% endif %}
    {% do check_dynamic_tables() %}
    {% do check_warehouses() %}
    {% do check_library() %}
{% endmacro %}

{#
  Every warehouse that a setting names. A login succeeds without the one that it names
  (validate_default_parameters is false,
  https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api), and dbt-snowflake sends
  `use warehouse` only before the first node that wants another, when others have run; Snowflake then says that an
  object does not exist, and not which. So ask for all of them, in one statement that needs none:
  https://docs.snowflake.com/en/sql-reference/sql/show-warehouses
  It lists what the role has any privilege on
  (https://docs.snowflake.com/en/release-notes/bcr-bundles/2024_06/bcr-1665): one that it may see and not use is
  left to Snowflake's own refusal, since no page says that `with privileges usage` lists a warehouse to its owner.
#}
{% macro check_warehouses() %}
    {% set named = named_warehouses() %}
    {% if named %}
        {% set seen = [] %}
        {% for row in run_query('show warehouses').rows %}{% do seen.append(row['name']) %}{% endfor %}
        {% for entry in named if stored_name(entry['warehouse']) not in seen %}
            {% do stop(
                'The warehouse ' ~ entry['warehouse'] ~ ' does not exist or role ' ~ target.role
                ~ ' may not use it; correct ' ~ entry['named_by'] ~ ', or run deploy/snowflake/*.sql first.'
            ) %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{#
  The warehouses of a run and what names each, settings first. A folder or a model of dbt_project.yml may name one
  of its own.
#}
{% macro named_warehouses() %}
    {% set named = [
        {'named_by': 'ML_WAREHOUSE', 'warehouse': target.warehouse},
        {'named_by': 'TRAINING_WAREHOUSE (the setting training_warehouse)',
         'warehouse': setting_value('training_warehouse')},
        {'named_by': 'DYNAMIC_TABLE_WAREHOUSE', 'warehouse': env_var('DYNAMIC_TABLE_WAREHOUSE', '')},
    ] %}
    {% for node in graph.nodes.values() if node.resource_type == 'model' %}
        {% set warehouse = node.config.get('snowflake_warehouse') %}
        {% if warehouse not in (named | map(attribute='warehouse')) %}
            {% do named.append({'named_by': 'snowflake_warehouse of ' ~ node.name, 'warehouse': warehouse}) %}
        {% endif %}
    {% endfor %}
    {% do return(named | selectattr('warehouse') | list) %}
{% endmacro %}

{#
  A name as Snowflake stores it: in upper case, but where it is quoted.
  https://docs.snowflake.com/en/sql-reference/identifiers-syntax
#}
{% macro stored_name(name) %}
    {% do return(name[1:-1] if name.startswith('"') else name | upper) %}
{% endmacro %}
