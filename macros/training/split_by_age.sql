{#
  SQL: the split of a row by its age, in days before the newest row: test, validation or train; null where it
  is older than `train_window_days`.
#}
{% macro split_by_age(age_days, test_days, validation_days) -%}
    {%- set window_days = setting('train_window_days') -%}
    case
        when {{ age_days }} < {{ test_days }} then 'test'
        when {{ age_days }} < {{ test_days }} + {{ validation_days }} then 'validation'
        when {{ window_days }} is null or {{ age_days }} < {{ window_days }} then 'train'
    end
{%- endmacro %}
