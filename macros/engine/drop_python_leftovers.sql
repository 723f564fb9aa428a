{% macro drop_python_leftovers() %}
{% endmacro %}
