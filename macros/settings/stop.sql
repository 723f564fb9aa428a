{#
  Stops the run with one sentence for the user. Of dbt's exceptions it is the one that does not list
  the macros it went through below the sentence: those are ours, not the user's.
#}
{% macro stop(message) %}
    {{ exceptions.raise_fail_fast_error(message) }}
{% endmacro %}
