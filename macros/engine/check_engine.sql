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
    {% do check_warehouse() %}
    {% do check_library() %}
{% endmacro %}

{#
  A login succeeds without the warehouse that it names (validate_default_parameters is false,
  https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api), and the first
  statement that needs one fails, when others have run. So ask for it:
  https://docs.snowflake.com/en/sql-reference/sql/use-warehouse
#}
{% macro check_warehouse() %}
    {% if target.warehouse %}
        {% do try_or_compiler_error(
            'The warehouse ' ~ target.warehouse ~ ' does not exist or role ' ~ target.role ~ ' may not use it; '
            ~ 'correct ML_WAREHOUSE, or run deploy/snowflake/*.sql first.',
            run_query,
            'use warehouse ' ~ target.warehouse
        ) %}
    {% endif %}
{% endmacro %}
