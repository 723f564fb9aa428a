{# A file's size in bytes, without reading it. #}
{% macro file_bytes(path) %}
    {{ return(adapter.dispatch('file_bytes')(path)) }}
{% endmacro %}

{% macro default__file_bytes(path) %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__file_bytes(path) %}
    {% set found = try_or_compiler_error(
        'The file ' ~ path ~ ' can not be opened; check that you may read it.',
        run_query,
        'select size from read_blob(' ~ path_literal(path) ~ ')'
    ) %}
    {% do return(found.rows[0][0] | int) %}
{% endmacro %}

{#
  What a file's bytes say: `content_hash` (sha256), `start` and `end` (first and last four bytes as
  hexadecimal digits), `is_text` (UTF-8 with no zero byte).
#}
{% macro file_facts(path) %}
    {{ return(adapter.dispatch('file_facts')(path)) }}
{% endmacro %}

{% macro default__file_facts(path) %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__file_facts(path) %}
    {% set sql %}
        select
            sha256(content) as content_hash,
            hex(content[1:4]) as first_bytes,
            hex(content[-4:]) as last_bytes,
            coalesce(not contains(try(decode(content)), chr(0)), false) as is_text
        from read_blob({{ path_literal(path) }})
    {% endset %}
    {% set row = try_or_compiler_error(
        'The file ' ~ path ~ ' can not be read; check that you may read it, and that it fits into memory '
        ~ '(else split it into a folder of smaller files).',
        run_query,
        sql
    ).rows[0] %}
    {% do return({'content_hash': row[0], 'start': row[1], 'end': row[2], 'is_text': row[3]}) %}
{% endmacro %}
