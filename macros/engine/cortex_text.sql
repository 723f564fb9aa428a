{#
  SQL: a text without what could tell who wrote it: mail addresses become [mail]; phone numbers, order
  numbers and other long numbers become [number]. It errs on the side of masking: a date in digits goes,
  too. Names stay.
#}
{% macro masked_text(text) %}
    {% set masked = [text] %}
    {% for pattern, replacement in masked_patterns() %}
        {% do masked.append(replaced_everywhere(masked[-1], pattern, replacement)) %}
    {% endfor %}
    {% do return(masked[-1]) %}
{% endmacro %}

{#
  What is masked, in this order: mail addresses; numbers of seven digits or more, with up to two signs
  between two digits; words of letters, digits and hyphens that hold five digits in a row, or that
  start with # and hold a digit. Bracket expressions instead of backslashes: a literal of
  Snowflake takes those away.
#}
{% macro masked_patterns() %}
    {% do return([
        ('[^[:space:]@]+@[^[:space:]@]+[.][^[:space:]@]+', '[mail]'),
        ('[+]?[0-9]([^0-9A-Za-z,;:!?]{0,2}[0-9]){6,}', '[number]'),
        ('(#[A-Za-z-]*[0-9]|[A-Za-z0-9-]*[0-9]{5})[A-Za-z0-9-]*', '[number]'),
    ]) %}
{% endmacro %}

{# SQL: a text in which everything that matches a pattern of ours is replaced by a word of ours. #}
{% macro replaced_everywhere(text, pattern, replacement) %}
    {{ return(adapter.dispatch('replaced_everywhere')(text, pattern, replacement)) }}
{% endmacro %}

{% macro default__replaced_everywhere(text, pattern, replacement) %}
    {{ exceptions.raise_compiler_error('replaced_everywhere is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# https://duckdb.org/docs/stable/sql/functions/regular_expressions: without `g` only the first. #}
{% macro duckdb__replaced_everywhere(text, pattern, replacement) %}
    {% do return("regexp_replace(" ~ text ~ ", '" ~ pattern ~ "', '" ~ replacement ~ "', 'g')") %}
{% endmacro %}

{#
  POSIX extended regular expressions; every occurrence unless told otherwise.
  https://docs.snowflake.com/en/sql-reference/functions/regexp_replace
  https://docs.snowflake.com/en/sql-reference/functions-regexp
#}
{% macro snowflake__replaced_everywhere(text, pattern, replacement) %}
    {% do return("regexp_replace(" ~ text ~ ", '" ~ pattern ~ "', '" ~ replacement ~ "')") %}
{% endmacro %}
