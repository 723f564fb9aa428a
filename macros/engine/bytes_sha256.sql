{# SQL: the SHA-256 of bytes, in lower-case hexadecimal digits. #}
{% macro bytes_sha256(bytes) %}
    {{ return(adapter.dispatch('bytes_sha256')(bytes)) }}
{% endmacro %}

{% macro default__bytes_sha256(bytes) %}
    {{ exceptions.raise_compiler_error('bytes_sha256 is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# https://duckdb.org/docs/stable/sql/functions/blob#sha256blob #}
{% macro duckdb__bytes_sha256(bytes) -%}
    sha256({{ bytes }})
{%- endmacro %}

{# A string and binary function: https://docs.snowflake.com/en/sql-reference/functions/sha2 #}
{% macro snowflake__bytes_sha256(bytes) -%}
    sha2({{ bytes }}, 256)
{%- endmacro %}
