{#
  Rows that one statement of a seed inserts. dbt's 10,000 make a statement of megabytes, and the time
  that Snowflake's connector takes to split it grows with the square of its length: the sample shop's
  sessions took half a minute before they were sent.
#}
{% macro snowflake__get_batch_size() %}
    {{ return(1000) }}
{% endmacro %}
