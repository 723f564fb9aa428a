{#
  Runs before anything else: stops where texts shall be scored by an engine that this target does not
  have.
#}
{% macro check_text_engine() %}
    {% if execute and flags.WHICH in ('run', 'build') and setting_value('text_engine') == 'cortex' %}
        {% do adapter.dispatch('check_cortex')() %}
    {% endif %}
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
