{#
  Snowflake Cortex AI Functions as SQL expressions with portable values. A text is a column or an
  expression of columns, never text that was put into SQL; categories and languages are literals that
  are checked while dbt compiles. Each expression calls Cortex once for each row: write it once in a
  query, in a select list over rows that are counted, and keep its result in a table.

  A text that Cortex cannot process gives null, and the other rows go on
  (https://docs.snowflake.com/en/release-notes/bcr-bundles/2026_02/bcr-2184).
#}

{#
  SQL: how a text feels, as one word: positive, neutral, negative, mixed or unknown; null where Cortex
  could not tell. It reads English, French, German, Hindi, Italian, Portuguese and Spanish, and need
  not be told which; a text of another language may be answered, too, and nobody knows how well.
#}
{% macro ai_sentiment(text) %}
    {{ return(adapter.dispatch('ai_sentiment')(text)) }}
{% endmacro %}

{% macro default__ai_sentiment(text) %}
    {{ return(no_cortex('ai_sentiment')) }}
{% endmacro %}

{#
  AI_SENTIMENT returns {"categories": [{"name": "overall", "sentiment": "mixed"}]}, and nothing but
  `overall` where it is not given categories.
  https://docs.snowflake.com/en/sql-reference/functions/ai_sentiment
  https://docs.snowflake.com/en/sql-reference/functions/get_path
#}
{% macro snowflake__ai_sentiment(text) -%}
    cast(get_path(ai_sentiment({{ text }}), 'categories[0].sentiment') as varchar)
{%- endmacro %}

{#
  SQL: the one category of a list of words that a text belongs to; null where Cortex could not tell.
  Made for English prose: it is not meant for texts or categories of other languages, so translate
  first. Categories are best descriptive, exclusive and fewer than twenty; each is billed with each text.
#}
{% macro ai_classify(text, categories) %}
    {{ return(adapter.dispatch('ai_classify')(text, categories)) }}
{% endmacro %}

{% macro default__ai_classify(text, categories) %}
    {{ return(no_cortex('ai_classify')) }}
{% endmacro %}

{#
  AI_CLASSIFY returns {"labels": ["travel"]}, one label unless it is asked for more, and asks for at
  least two unique categories. https://docs.snowflake.com/en/sql-reference/functions/ai_classify
#}
{% macro snowflake__ai_classify(text, categories) -%}
    {%- if categories is string or categories | unique(case_sensitive=true) | list | length < 2 -%}
        {{ exceptions.raise_compiler_error(
            'ai_classify needs a list of two or more different categories, not ' ~ categories ~ '.'
        ) }}
    {%- endif -%}
    {%- set literals = [] -%}
    {%- for category in categories -%}{%- do literals.append(cortex_literal(category)) -%}{%- endfor -%}
    cast(get_path(ai_classify({{ text }}, array_construct({{ literals | join(', ') }})), 'labels[0]') as varchar)
{%- endmacro %}

{#
  SQL: a text in another language; null where Cortex could not translate it. `from_language` and
  `to_language` are codes of `cortex_translated_languages`; without `from_language` it is recognised,
  and may change within the text.
#}
{% macro ai_translate(text, from_language, to_language) %}
    {{ return(adapter.dispatch('ai_translate')(text, from_language, to_language)) }}
{% endmacro %}

{% macro default__ai_translate(text, from_language, to_language) %}
    {{ return(no_cortex('ai_translate')) }}
{% endmacro %}

{# https://docs.snowflake.com/en/sql-reference/functions/ai_translate #}
{% macro snowflake__ai_translate(text, from_language, to_language) -%}
    {%- for language in ([to_language] if from_language is none else [from_language, to_language]) -%}
        {%- if language not in cortex_translated_languages() -%}
            {{ exceptions.raise_compiler_error(
                "ai_translate does not know the language '" ~ language ~ "'; it knows "
                ~ (cortex_translated_languages() | join(', ')) ~ '.'
            ) }}
        {%- endif -%}
    {%- endfor -%}
    ai_translate({{ text }}, {{ cortex_literal(from_language or '') }}, {{ cortex_literal(to_language) }})
{%- endmacro %}

{# The languages that AI_TRANSLATE knows, as codes: usage notes of the page above. #}
{% macro cortex_translated_languages() %}
    {% do return([
        'ar', 'cs', 'de', 'el', 'en', 'es', 'fi', 'fr', 'he', 'hi', 'hr', 'it', 'ja', 'ko', 'nl', 'no', 'pl', 'pt',
        'ro', 'ru', 'sv', 'tr', 'zh',
    ]) %}
{% endmacro %}

{#
  A word of ours as a literal of Snowflake, where a backslash escapes what follows it.
  https://docs.snowflake.com/en/sql-reference/data-types-text#single-quoted-string-constants
#}
{% macro cortex_literal(word) %}
    {% do return("'" ~ (word | replace('\\', '\\\\') | replace("'", "''")) ~ "'") %}
{% endmacro %}

{# While dbt parses, a null, so that a project with these calls can be read everywhere; then it stops. #}
{% macro no_cortex(name) %}
    {% if execute %}
        {{ exceptions.raise_compiler_error(
            name ~ ' is a function of Snowflake Cortex, which ' ~ target.type ~ ' does not have: set text_engine to '
            ~ 'null, or build on a Snowflake target.'
        ) }}
    {% endif %}
    {% do return('null') %}
{% endmacro %}
