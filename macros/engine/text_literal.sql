{# Any text as a SQL literal, whatever it holds. #}
{% macro text_literal(text) %}
    {{ return(adapter.dispatch('text_literal')(text)) }}
{% endmacro %}

{% macro default__text_literal(text) %}
    {% do return("'" ~ text | replace("'", "''") ~ "'") %}
{% endmacro %}

{#
  A backslash begins an escape there, so a text that ends in one would swallow the quote after it:
  https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants
#}
{% macro snowflake__text_literal(text) %}
    {% do return("'" ~ text | replace('\\', '\\\\') | replace("'", "''") ~ "'") %}
{% endmacro %}
