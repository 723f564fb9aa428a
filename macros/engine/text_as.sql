{#
  SQL: a text from a file as a value of a type of the raw contract; null where it is none. Stricter
  than the engines' own casts: 5.5 is not rounded to an integer, `infinity` is no number and no time,
  a time with an offset is converted to UTC, one without is UTC.
#}
{% macro text_as(text, data_type) %}
    {{ return(adapter.dispatch('text_as')(text, data_type)) }}
{% endmacro %}

{% macro default__text_as(text, data_type) %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__text_as(text, data_type) %}
    {% set family = type_family(data_type) %}
    {% set trimmed = 'trim(' ~ text ~ ')' %}
    {% if family == 'text' %}
        {% do return(text) %}
    {% elif family == 'boolean' %}
        {% do return(
            "(case when lower(" ~ trimmed ~ ") in ('true', 't', '1') then true when lower(" ~ trimmed
            ~ ") in ('false', 'f', '0') then false end)"
        ) %}
    {% endif %}
    {% set cast = 'try_cast(' ~ trimmed ~ ' as ' ~ data_type ~ ')' %}
    {% if data_type | lower == 'double' %}
        {% set cast = 'case when not isinf(' ~ cast ~ ') then ' ~ cast ~ ' end' %}
    {% elif family == 'timestamp' %}
        {% set cast = "case when regexp_matches(" ~ trimmed ~ ", '(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$') and contains("
            ~ trimmed ~ ", ':') then timezone('UTC', try_cast(" ~ trimmed ~ " as timestamptz)) else " ~ cast ~ " end" %}
    {% endif %}
    {% do return(
        "(case when regexp_full_match(" ~ trimmed ~ ", '" ~ type_pattern(family) ~ "') then " ~ cast ~ " end)"
    ) %}
{% endmacro %}

{# SQL: the words for a text that `text_as` makes null: `is not an integer`. #}
{% macro text_problem(text, data_type) %}
    {{ return(adapter.dispatch('text_problem')(text, data_type)) }}
{% endmacro %}

{% macro default__text_problem(text, data_type) %}
    {{ exceptions.raise_compiler_error('load_files is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__text_problem(text, data_type) %}
    {% set family = type_family(data_type) %}
    {% set words = {
        'integer': 'is not an integer',
        'number': 'is not a number',
        'boolean': 'is neither true nor false',
        'date': 'is not a date like 2024-06-30',
        'timestamp': 'is not a time like 2024-06-30 12:00:00',
        'text': 'is not a text',
    } %}
    {% if family not in ('integer', 'number') %}{% do return("'" ~ words[family] ~ "'") %}{% endif %}
    {% do return(
        "case when regexp_full_match(trim(" ~ text ~ "), '" ~ type_pattern(family) ~ "') then 'is too large for "
        ~ data_type ~ "' else '" ~ words[family] ~ "' end"
    ) %}
{% endmacro %}

{# What kind of value a type of the contract holds: text, integer, number, boolean, date or timestamp. #}
{% macro type_family(data_type) %}
    {% set name = (data_type | lower).split('(')[0] | trim %}
    {% set family = {
        'varchar': 'text', 'integer': 'integer', 'bigint': 'integer', 'decimal': 'number', 'double': 'number',
        'boolean': 'boolean', 'date': 'date', 'timestamp': 'timestamp',
    }.get(name) %}
    {% if family is none %}
        {{ exceptions.raise_compiler_error(
            "load_files does not know the type '" ~ data_type
            ~ "' of models/staging/_sources.yml; macros/engine/text_as.sql lists the types."
        ) }}
    {% endif %}
    {% do return(family) %}
{% endmacro %}

{# How a number, date or time is written, as a regular expression. #}
{% macro type_pattern(family) %}
    {% set date = '[1-9][0-9]{3}[-/][0-9]{1,2}[-/][0-9]{1,2}' %}
    {% set time = '[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?' %}
    {% set zone = ' ?(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)' %}
    {% do return({
        'integer': '[+-]?[0-9]+([.]0*)?',
        'number': '[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?',
        'date': date ~ '(' ~ time ~ ')?',
        'timestamp': date ~ '(' ~ time ~ '(' ~ zone ~ ')?)?',
    }[family]) %}
{% endmacro %}
