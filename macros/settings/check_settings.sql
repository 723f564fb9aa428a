{#
  Runs before anything else: refuses a setting that does not exist or has a value that makes no
  sense, with a sentence for each that says where it was given and what is allowed.

  project_vars: the names under `vars` in dbt_project.yml, which Jinja cannot list itself;
  `make build` passes them.
#}
{% macro check_settings(project_vars=[]) %}
    {% if execute and flags.WHICH in ('run', 'build', 'test', 'seed', 'snapshot', 'run-operation') %}
        {% set problems = unknown_settings(project_vars, 'dbt_project.yml') %}
        {% set given = invocation_args_dict.get('vars') or {} %}
        {% do problems.extend(unknown_settings((fromyaml(given) if given is string else given) | list, '--vars')) %}
        {% for name in settings_catalog() %}
            {% set problem = setting_problem(name) %}
            {% if problem %}{% do problems.append(problem) %}{% endif %}
        {% endfor %}
        {% if problems %}
            {{ stop(problems | join('\n')) }}
        {% endif %}
    {% endif %}
{% endmacro %}

{# A sentence for each name that is no setting. #}
{% macro unknown_settings(names, where) %}
    {% set problems = [] %}
    {% for name in names if name not in settings_catalog() %}
        {% do problems.append(
            "There is no setting '" ~ name ~ "' (" ~ where ~ '); the settings are: '
            ~ (settings_catalog().keys() | sort | join(', ')) ~ '.'
        ) %}
    {% endfor %}
    {% do return(problems) %}
{% endmacro %}

{# What is wrong with a setting's value, as one sentence; none where it is allowed. #}
{% macro setting_problem(name) %}
    {% set spec = settings_catalog()[name] %}
    {% set given = setting_given(name) %}
    {% set text = given | string | trim %}
    {% set is_null = given is none or text | lower in ('null', 'none', '') %}
    {% set where = 'environment variable ' ~ setting_env_name(name)
        if env_var(setting_env_name(name), '') != '' else 'var' %}
    {% set allowed = setting_allowed(spec) %}
    {% if is_null %}
        {% if spec.get('is_nullable') %}{% do return(none) %}{% endif %}
        {% if not var.has_var(name) %}
            {% do return("Setting '" ~ name ~ "' is missing under vars in dbt_project.yml; give it " ~ allowed ~ '.') %}
        {% endif %}
        {% set is_valid = false %}
    {% elif spec.type == 'integer' %}
        {% set is_valid = modules.re.fullmatch('-?[0-9]{1,18}', text) is not none
            and spec.min <= (text | int) <= spec.max %}
    {% elif spec.type == 'number' %}
        {% set is_valid = modules.re.fullmatch('-?[0-9]+([.][0-9]+)?(e-?[0-9]+)?', text) is not none
            and spec.min <= (text | float) <= spec.max %}
    {% elif spec.type == 'boolean' %}
        {% set is_valid = text | lower in ('true', 'false') %}
    {% elif spec.type == 'timestamp' %}
        {% set is_valid = is_timestamp_text(text) %}
    {% elif 'values' in spec %}
        {% set is_valid = text in spec['values'] %}
    {% else %}
        {% set is_valid = modules.re.fullmatch(spec.pattern, text) is not none %}
    {% endif %}
    {% if not is_valid %}
        {% do return(
            "Setting '" ~ name ~ "' is '" ~ ('' if given is none else text) ~ "' (" ~ where
            ~ '); it must be ' ~ allowed ~ '.'
        ) %}
    {% endif %}
    {% do return(none) %}
{% endmacro %}

{# The allowed values of a setting in words. #}
{% macro setting_allowed(spec) %}
    {% if spec.type in ('integer', 'number') %}
        {% set words = ('a whole number' if spec.type == 'integer' else 'a number')
            ~ ' from ' ~ spec.min ~ ' to ' ~ spec.max %}
    {% elif spec.type == 'boolean' %}
        {% set words = 'true or false' %}
    {% elif spec.type == 'timestamp' %}
        {% set words = 'a time like 2024-06-30 or 2024-06-30 12:00:00 (UTC)' %}
    {% elif 'values' in spec %}
        {% set words = 'one of: ' ~ (spec['values'] | join(', ')) %}
    {% else %}
        {% set words = 'a plain name: letters, digits and _, not starting with a digit' %}
    {% endif %}
    {% do return(words ~ (', or null' if spec.get('is_nullable') else '')) %}
{% endmacro %}

{# Whether a text is a date or a date and time that exists: 2024-02-30 does not. #}
{% macro is_timestamp_text(text) %}
    {% set parts = modules.re.fullmatch(
        '([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})([ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?', text
    ) %}
    {% if parts is none or parts.group(1) | int < 1 %}{% do return(false) %}{% endif %}
    {% set first = modules.datetime.date(parts.group(1) | int, parts.group(2) | int, 1) %}
    {% set after = modules.datetime.date(
        first.year + (1 if first.month == 12 else 0), first.month % 12 + 1, 1
    ) if first.year < 9999 else first %}
    {% do return(1 <= parts.group(3) | int <= (after - first).days) %}
{% endmacro %}
