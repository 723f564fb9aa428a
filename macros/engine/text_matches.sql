{# SQL: whether a whole text is as a regular expression says. #}
{% macro text_matches(text, pattern) %}
    {{ return(adapter.dispatch('text_matches')(text, pattern)) }}
{% endmacro %}

{% macro default__text_matches(text, pattern) %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__text_matches(text, pattern) %}
    {% do return('regexp_full_match(' ~ text ~ ", '" ~ pattern ~ "')") %}
{% endmacro %}
