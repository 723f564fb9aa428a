{# The environment variable that overrides a setting. #}
{% macro setting_env_name(name) %}
    {% do return(settings_catalog()[name].get('env', name | upper)) %}
{% endmacro %}

{# A setting as it was given, unchecked: the environment variable where it is set, else the var. #}
{% macro setting_given(name) %}
    {% set from_environment = env_var(setting_env_name(name), '') %}
    {% do return(from_environment if from_environment != '' else var(name, none)) %}
{% endmacro %}

{#
  A setting as a value for Jinja: text, int, float, bool or none. Its value has been checked at the
  start of the run (check_settings).
#}
{% macro setting_value(name) %}
    {% if name not in settings_catalog() %}
        {{ exceptions.raise_compiler_error("There is no setting '" ~ name ~ "'; macros/settings/settings_catalog.sql lists them.") }}
    {% endif %}
    {% set spec = settings_catalog()[name] %}
    {% set given = setting_given(name) %}
    {% if given is none or given | string | lower in ('null', 'none') %}
        {% do return(none) %}
    {% elif spec.type == 'integer' %}
        {% do return(given | int) %}
    {% elif spec.type == 'number' %}
        {% do return(given | float) %}
    {% elif spec.type == 'boolean' %}
        {% do return(given | string | lower == 'true') %}
    {% else %}
        {% do return(given | string | trim) %}
    {% endif %}
{% endmacro %}

{# A setting as a typed SQL literal. This is how SQL reads settings. #}
{% macro setting(name) %}
    {%- set value = setting_value(name) -%}
    {%- set type = {
        'text': api.Column.translate_type('string'),
        'integer': 'integer',
        'number': 'double',
        'boolean': 'boolean',
        'timestamp': 'timestamp',
    }[settings_catalog()[name].type] -%}
    {%- if value is none -%}
        cast(null as {{ type }})
    {%- elif value is string -%}
        cast({{ dbt.string_literal(dbt.escape_single_quotes(value)) }} as {{ type }})
    {%- else -%}
        cast({{ value | string | lower }} as {{ type }})
    {%- endif -%}
{% endmacro %}
