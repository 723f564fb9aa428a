{# Any text as a SQL literal, whatever it holds: it comes from a person and names one. #}
{% macro quoted_text(text) %}
    {{ return(adapter.dispatch('quoted_text')(text)) }}
{% endmacro %}

{% macro default__quoted_text(text) %}
    {% do return("'" ~ (text | string | replace("'", "''")) ~ "'") %}
{% endmacro %}

{# A backslash escapes: https://docs.snowflake.com/en/sql-reference/data-types-text #}
{% macro snowflake__quoted_text(text) %}
    {% do return("'" ~ (text | string | replace('\\', '\\\\') | replace("'", "''")) ~ "'") %}
{% endmacro %}

{# SQL: another text for each row, which nobody can guess. #}
{% macro random_text() %}
    {{ return(adapter.dispatch('random_text')()) }}
{% endmacro %}

{% macro default__random_text() %}
    {{ exceptions.raise_compiler_error('random_text is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__random_text() %}
    {% do return('cast(uuid() as varchar)') %}
{% endmacro %}

{# https://docs.snowflake.com/en/sql-reference/functions/uuid_string #}
{% macro snowflake__random_text() %}
    {% do return('uuid_string()') %}
{% endmacro %}

{# SQL: the SHA-256 of a text, 64 hexadecimal digits. #}
{% macro sha256_text(text) %}
    {{ return(adapter.dispatch('sha256_text')(text)) }}
{% endmacro %}

{% macro default__sha256_text(text) %}
    {% do return('sha2(' ~ text ~ ', 256)') %}
{% endmacro %}

{% macro duckdb__sha256_text(text) %}
    {% do return('sha256(' ~ text ~ ')') %}
{% endmacro %}

{# SQL: whether a row of information_schema.tables is a dynamic table. #}
{% macro is_dynamic_column() %}
    {{ return(adapter.dispatch('is_dynamic_column')()) }}
{% endmacro %}

{% macro default__is_dynamic_column() %}
    {% do return("'NO'") %}
{% endmacro %}

{# https://docs.snowflake.com/en/sql-reference/info-schema/tables #}
{% macro snowflake__is_dynamic_column() %}
    {% do return('is_dynamic') %}
{% endmacro %}

{# A table of this session, by its full name. #}
{% macro erasure_scratch(name) %}
    {{ return(adapter.dispatch('erasure_scratch')(name)) }}
{% endmacro %}

{% macro default__erasure_scratch(name) %}
    {% do return(api.Relation.create(
        database=target.database, schema=generate_schema_name('internal', none), identifier=name
    )) %}
{% endmacro %}

{% macro duckdb__erasure_scratch(name) %}
    {% do return('temp.' ~ name) %}
{% endmacro %}

{#
  An erasure is one transaction: all of it is kept or nothing is. `prepare_erasure` comes before the tables
  that it makes for itself, `begin_erasure` before the first row that it changes, `commit_erasure` after
  the last one.
#}
{% macro prepare_erasure() %}
    {{ return(adapter.dispatch('prepare_erasure')()) }}
{% endmacro %}

{% macro default__prepare_erasure() %}
    {{ exceptions.raise_compiler_error('forget_customer is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{% macro duckdb__prepare_erasure() %}
    {% do run_query('begin transaction') %}
{% endmacro %}

{# A build that runs at the same time would write again what is erased: it waits, or this does. #}
{% macro snowflake__prepare_erasure() %}
    {% do snowflake__take_build_lock() %}
{% endmacro %}

{% macro begin_erasure() %}
    {{ return(adapter.dispatch('begin_erasure')()) }}
{% endmacro %}

{% macro default__begin_erasure() %}{% endmacro %}

{# Here, not earlier: creating a table commits (https://docs.snowflake.com/en/sql-reference/transactions#ddl). #}
{% macro snowflake__begin_erasure() %}
    {% do run_query('begin') %}
{% endmacro %}

{#
  Stops an erasure with a sentence. Nothing was erased: what was done in its transaction, if that was
  begun, is undone, and the next build is not barred.
#}
{% macro stop_erasure(message, is_begun=false) %}
    {% do adapter.dispatch('give_up_erasure')(is_begun) %}
    {% do stop(message) %}
{% endmacro %}

{# DuckDB undoes what its connection had begun when it ends. #}
{% macro default__give_up_erasure(is_begun) %}{% endmacro %}

{# First, because dropping a table commits. #}
{% macro snowflake__give_up_erasure(is_begun) %}
    {% if is_begun %}{% do run_query('rollback') %}{% endif %}
    {% do run_query('drop table if exists ' ~ build_lock()) %}
{% endmacro %}

{# `refreshed`: the dynamic tables that hold rows of customers. #}
{% macro commit_erasure(refreshed) %}
    {{ return(adapter.dispatch('commit_erasure')(refreshed)) }}
{% endmacro %}

{% macro default__commit_erasure(refreshed) %}
    {{ exceptions.raise_compiler_error('forget_customer is not written for ' ~ target.type ~ ' yet.') }}
{% endmacro %}

{# The checkpoint takes the log of writes away, in which the rows would still stand. #}
{% macro duckdb__commit_erasure(refreshed) %}
    {% do run_query('commit') %}
    {% do run_query('checkpoint') %}
{% endmacro %}

{#
  A dynamic table is not written but refreshed, which refreshes those that it reads first. One that fails
  stops here, raw being erased already: the same call again finds what is left in dynamic tables and goes on.
  https://docs.snowflake.com/en/user-guide/dynamic-tables-manual-refresh
#}
{% macro snowflake__commit_erasure(refreshed) %}
    {% do run_query('commit') %}
    {% for relation in refreshed %}
        {% do run_query('alter dynamic table ' ~ relation ~ ' refresh') %}
    {% endfor %}
    {% do run_query('drop table if exists ' ~ build_lock()) %}
{% endmacro %}

{# After rows went from a table that is made again only where its input has changed: it is made again. #}
{% macro forget_computed(relation, present) %}
    {{ return(adapter.dispatch('forget_computed')(relation, present)) }}
{% endmacro %}

{% macro default__forget_computed(relation, present) %}{% endmacro %}

{% macro duckdb__forget_computed(relation, present) %}
    {% if 'computed_fingerprints' in present %}{% do forget_fingerprint(relation) %}{% endif %}
{% endmacro %}
