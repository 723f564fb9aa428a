{#
  Runs before anything else: stops where texts shall be scored by an engine that this target does not
  have.
#}
{% macro check_text_engine() %}
    {% if execute and flags.WHICH in ('run', 'build') %}
        {% if setting_value('text_engine') == 'cortex' %}
            {% do adapter.dispatch('check_cortex')() %}
        {% elif setting_value('text_engine') == 'huggingface' %}
            {% do adapter.dispatch('check_huggingface')() %}
        {% endif %}
    {% endif %}
{% endmacro %}

{% macro default__check_huggingface() %}
    {{ stop(
        "Setting 'text_engine' is 'huggingface', which reads a folder of this machine, and the target '" ~ target.name
        ~ "' (" ~ target.type ~ ") runs elsewhere; set text_engine to embedded or cortex."
    ) }}
{% endmacro %}

{# The folders are looked for here; what is in them Python finds out. #}
{% macro duckdb__check_huggingface() %}
    {% if setting_value('text_model_directory') is none %}
        {{ stop(
            "Setting 'text_engine' is 'huggingface', but 'text_model_directory' names no folder; name the one that a "
            ~ 'transformer was saved to, or set text_engine to embedded.'
        ) }}
    {% endif %}
    {% for name in ['text_model_directory', 'text_zero_shot_directory'] if setting_value(name) is not none %}
        {% set folder = setting_value(name) %}
        {% set config = dbt.string_literal(dbt.escape_single_quotes(folder ~ '/config.json')) %}
        {% if run_query('select count(*) from glob(' ~ config ~ ')').rows[0][0] == 0 %}
            {{ stop(
                "Setting '" ~ name ~ "' is '" ~ folder ~ "', which holds no config.json; name a folder that a "
                ~ 'transformer was saved to.'
            ) }}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro default__check_cortex() %}
    {{ stop(
        "Setting 'text_engine' is 'cortex', and Cortex is part of Snowflake, which the target '" ~ target.name ~ "' ("
        ~ target.type ~ ") is not; set text_engine to null, or build on a Snowflake target."
    ) }}
{% endmacro %}

{#
  Asks Cortex about one word, which costs about a hundred tokens. Nothing cheaper is sure: a role may
  have the privilege for one function and not for another, and a function its region or not
  (https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-privileges-and-access).
  An answer of null is an outage or the like: the build goes on, and what is not scored is tried again.
#}
{% macro snowflake__check_cortex() %}
    {% set answer = try_or_compiler_error(
        "Setting 'text_engine' is 'cortex', but the role " ~ (target.role or 'of this target')
        ~ ' could not call AI_SENTIMENT (logs/dbt.log has the reason). It needs USE AI FUNCTIONS on the account and '
        ~ 'the database role SNOWFLAKE.CORTEX_USER or SNOWFLAKE.AI_FUNCTIONS_USER, in a region that has the function; grant them, or set text_engine '
        ~ 'to null.',
        run_query,
        'select ' ~ ai_sentiment("'ready'")
    ) %}
    {% if answer.rows[0][0] is none %}
        {{ log('Cortex gave no answer to a test; texts that it does not answer stay unscored.', info=true) }}
    {% endif %}
{% endmacro %}
