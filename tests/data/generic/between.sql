{#
  A value lies between two limits, which count as inside unless `is_inclusive` is false. A limit may
  be left out. Null passes; a number that is none (NaN) fails.

  min_value, max_value: numbers or SQL expressions over the row, such as another column.
#}
{% test between(model, column_name, min_value=none, max_value=none, is_inclusive=true) %}
    {%- if min_value is none and max_value is none %}
        {{ exceptions.raise_compiler_error('The test between needs min_value, max_value or both.') }}
    {%- endif %}
    {%- set equal = '=' if is_inclusive else '' %}
    {%- set conditions = [] %}
    {%- if min_value is not none %}
        {%- do conditions.append(column_name ~ ' >' ~ equal ~ ' ' ~ min_value) %}
    {%- endif %}
    {%- if max_value is not none %}
        {%- do conditions.append(column_name ~ ' <' ~ equal ~ ' ' ~ max_value) %}
    {%- endif %}
    {#- Engines sort NaN above all numbers: without an upper limit it would pass. #}
    {%- do conditions.append("cast(" ~ column_name ~ " as double) <> cast('NaN' as double)") %}
    select {{ column_name }}
    from {{ model }}
    where not ({{ conditions | join(' and ') }})
{% endtest %}
