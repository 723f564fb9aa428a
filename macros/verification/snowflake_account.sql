{#
  What `make verify-snowflake` asks of an account before it builds: a role, a warehouse, a database, and
  the packages of Python models:
  https://docs.snowflake.com/en/sql-reference/functions/system_resolve_python_packages
#}
{% macro check_snowflake_set_up() %}
    {% set session = run_query('select current_role(), current_warehouse(), current_database()').rows[0] %}
    {% for name, value, setting in [
        ('role', session[0], 'SNOWFLAKE_ROLE'),
        ('warehouse', session[1], 'ML_WAREHOUSE'),
        ('database', session[2], 'SNOWFLAKE_DATABASE'),
    ] if value is none %}
        {% do stop('The session has no ' ~ name ~ '; check ' ~ setting ~ ' and run deploy/snowflake/*.sql.') %}
    {% endfor %}
    {% set packages, versions = [], [] %}
    {% for node in graph.nodes.values() if node.language == 'python' %}
        {% do packages.extend(node.config.packages | reject('in', packages)) %}
        {% do versions.append(node.config.python_version) %}
    {% endfor %}
    {% do try_or_compiler_error(
        "Snowflake's channel lacks one of these packages: " ~ (packages | join(', '))
        ~ '; name versions that it has under +packages of dbt_project.yml (make pin-snowflake).',
        run_query,
        "select system$resolve_python_packages('" ~ versions[0] ~ "', $$('" ~ (packages | join("', '")) ~ "')$$)"
    ) %}
    {% do print('role ' ~ session[0] ~ ', warehouse ' ~ session[1] ~ ', database ' ~ session[2]) %}
{% endmacro %}

{#
  Drops the schemas that this project builds into, all that is in them included. Only schemas of a
  verification: anybody else's hold models that can not be built again.
#}
{% macro drop_own_schemas() %}
    {% if target.schema | lower != 'verification' %}
        {% do stop("drop_own_schemas drops those of ML_SCHEMA=verification only, not of '" ~ target.schema ~ "'.") %}
    {% endif %}
    {% set schemas = [] %}
    {% for node in graph.nodes.values() if node.resource_type in ('model', 'seed', 'snapshot') %}
        {% if node.schema not in schemas %}{% do schemas.append(node.schema) %}{% endif %}
    {% endfor %}
    {% for schema in schemas %}
        {% do adapter.drop_schema(api.Relation.create(database=target.database, schema=schema)) %}
    {% endfor %}
    {% do print(schemas | length ~ ' schemas are gone') %}
{% endmacro %}
