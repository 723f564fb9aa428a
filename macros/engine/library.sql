{#
  The library that Python models import. DuckDB imports what is installed beside dbt. Snowflake
  imports a zip from a stage, named by its md5 in `+imports` of dbt_project.yml.
#}

{# Stops where the library is not where Python models will import it from. #}
{% macro check_library() %}
    {{ return(adapter.dispatch('check_library')()) }}
{% endmacro %}

{% macro default__check_library() %}
    {{ exceptions.raise_compiler_error('check_library is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__check_library() %}{% endmacro %}

{#
  The stage lists the md5 of each file: https://docs.snowflake.com/en/sql-reference/sql/list
  It is that of the file as it was built because the stage encrypts on the server (deploy/snowflake).
#}
{% macro snowflake__check_library() %}
    {% set folder, _, name = library_path().rpartition('/') %}
    {% set what_to_do = ' Type: make deploy-snowflake (deploy/snowflake/README.md names other ways).' %}
    {% set files = try_or_compiler_error(
        'The stage of the library, ' ~ folder ~ ', does not exist or role ' ~ target.role
        ~ ' may not read it; run deploy/snowflake/*.sql first.',
        run_query,
        'list ' ~ folder
    ).rows %}
    {% set md5s = {} %}
    {% for file in files %}{% do md5s.update({file[0].rpartition('/')[2]: file[2]}) %}{% endfor %}
    {% if name not in md5s %}
        {% set others = ', and what is staged is of another version: ' ~ md5s | sort | join(', ') if md5s else '' %}
        {% do stop(
            'The library of this version is not staged: ' ~ library_path() ~ ' is missing' ~ others ~ '.' ~ what_to_do
        ) %}
    {% elif md5s[name] not in name %}
        {% do stop(
            'The staged library ' ~ library_path() ~ ' is damaged: its md5 is ' ~ md5s[name] ~ '.' ~ what_to_do
        ) %}
    {% endif %}
{% endmacro %}

{# Where Python models import the library from: the first of `+imports` in dbt_project.yml. #}
{% macro library_path() %}
    {% for node in graph.nodes.values() if node.language == 'python' and node.config.imports %}
        {% do return(node.config.imports[0]) %}
    {% endfor %}
    {{ exceptions.raise_compiler_error('No Python model names the library in +imports of dbt_project.yml.') }}
{% endmacro %}

{# Puts the library's zip, built by `make deploy-snowflake`, on its stage. #}
{% macro stage_library(path) %}
    {% if target.type != 'snowflake' %}
        {% do stop('The library is staged on Snowflake only; give --target snowflake.') %}
    {% endif %}
    {% set folder, _, name = library_path().rpartition('/') %}
    {% if not path.endswith('/' ~ name) %}
        {% do stop(
            'The zip ' ~ path ~ ' is not the one that dbt_project.yml imports (' ~ name
            ~ '); type: make format'
        ) %}
    {% endif %}
    {% do run_query(
        "put '" ~ escape_single_quotes('file://' ~ path) ~ "' " ~ folder ~ ' auto_compress = false overwrite = true'
    ) %}
    {% do print('Staged ' ~ library_path()) %}
{% endmacro %}
