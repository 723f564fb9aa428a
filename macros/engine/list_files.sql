{#
  The files that a path names, as paths: the file itself, or with `is_folder` those directly in the
  folder, in the order of their names. Empty where there is none. A path is literal, never a pattern.
#}
{% macro list_files(path, is_folder) %}
    {{ return(adapter.dispatch('list_files')(path, is_folder)) }}
{% endmacro %}

{% macro default__list_files(path, is_folder) %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__list_files(path, is_folder) %}
    {#- In a pattern DuckDB takes a backslash for a slash, so that a literal one can not be written. -#}
    {% if '\\' in path and modules.re.search('[*?[]', path) %}
        {% do stop(
            "The path '" ~ path ~ "' has a backslash beside a *, ? or [, which DuckDB can not open; rename it."
        ) %}
    {% endif %}
    {% set found = run_query(
        'select cast(to_json(coalesce(list(file order by file), [])) as varchar) from glob('
        ~ (text_literal(escaped_path(path) ~ '/*') if is_folder else path_literal(path)) ~ ')'
    ) %}
    {% do return(fromjson(found.rows[0][0])) %}
{% endmacro %}

{#
  A path as DuckDB's file functions read it literally: https://duckdb.org/docs/stable/sql/functions/pattern_matching
  A character that would match others stands in brackets. A leading ~ is a name, ~/ the home folder.
#}
{% macro escaped_path(path) %}
    {% set escaped = modules.re.sub('([*?[])', '[\\1]', path) %}
    {% do return('./' ~ escaped if modules.re.match('~[^/]', path) else escaped) %}
{% endmacro %}

{# A path as a SQL literal. #}
{% macro path_literal(path) %}
    {% do return(text_literal(escaped_path(path))) %}
{% endmacro %}
