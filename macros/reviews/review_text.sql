{#
  SQL on a row of reviews: all that was said. A title is the first words of it: it often holds the verdict
  that the text explains.
#}
{% macro title_and_text() %}
    {% do return("concat(coalesce(nullif(trim(title), '') || chr(10), ''), text)") %}
{% endmacro %}

{#
  SQL: a text as it is stored and read. Masked before it is cut: a cut through an address would leave half
  of it.
#}
{% macro stored_text(text) %}
    {% do return('left(' ~ masked_text(text) ~ ', ' ~ setting('max_text_characters') ~ ')') %}
{% endmacro %}

{# SQL: the fingerprint of a stored text, which tables that read each text once are keyed by. #}
{% macro text_fingerprint(text) %}
    {% do return('md5(' ~ text ~ ')') %}
{% endmacro %}
