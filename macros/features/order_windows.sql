{# Days before an as-of date in which a customer's orders are counted and summed up. #}
{% macro order_windows() %}
    {% do return([7, 30, 60, 90, 180]) %}
{% endmacro %}
