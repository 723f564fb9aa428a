{# Stops where a file has no header, or names a column twice. #}
{% macro check_file_columns(file, columns) %}
    {% if not columns %}
        {% do stop('The file ' ~ file ~ ' has no header line; the first line must name the columns.') %}
    {% endif %}
    {% set twice = [] %}
    {% for column in columns if column and columns.count(column) > 1 and column not in twice %}
        {% do twice.append(column) %}
    {% endfor %}
    {% if twice %}
        {% do stop(
            'The file ' ~ file ~ ' has more than one column named ' ~ shown_names(twice)
            ~ '; keep one of each (upper and lower case do not count).'
        ) %}
    {% endif %}
{% endmacro %}

{#
  Where each column of a raw table comes from, as {columns: {name: SQL text}, problem: SQL text}:
  from the file's column of the same name. Stops where a column that may not be null is not in the
  file; says which columns of the file are not used.
#}
{% macro contract_mapping(file, table, columns) %}
    {% set mapping = {} %}
    {% set missing = [] %}
    {% for column in contract_columns(table) if column.name != 'loaded_at' %}
        {% if column.name in columns %}
            {% do mapping.update({column.name: file_field(columns.index(column.name))}) %}
        {% elif not column.config.meta.get('is_nullable') %}
            {% do missing.append(column.name) %}
        {% endif %}
    {% endfor %}
    {% set unused = columns | reject('in', contract_columns(table) | map(attribute='name') | list) | list %}
    {% if missing %}
        {% do stop(
            'The file ' ~ file ~ ' lacks ' ~ ('columns' if missing | length > 1 else 'the column') ~ ' '
            ~ (missing | join(', ')) ~ ' of ' ~ table
            ~ (' and has ' ~ shown_names(unused) ~ ' instead' if unused else '') ~ '; '
            ~ column_advice(missing, unused, columns)
            ~ ' (models/staging/_sources.yml describes each column).'
        ) %}
    {% endif %}
    {% if unused %}
        {{ log(
            'Ignored columns of ' ~ file_name(file) ~ ' that ' ~ table ~ ' does not have: ' ~ shown_names(unused),
            info=true
        ) }}
    {% endif %}
    {% do return({'columns': mapping, 'problem': none}) %}
{% endmacro %}

{# What to do about missing columns: the likely new name of a column that was only renamed. #}
{% macro column_advice(missing, unused, columns) %}
    {% if columns | length == 1 %}
        {% for separator, word in {';': 'semicolons', '\t': 'tabs', '|': 'bars'}.items() if separator in columns[0] %}
            {% do return('its fields are separated by ' ~ word ~ ': save it with commas') %}
        {% endfor %}
    {% endif %}
    {% set renames = [] %}
    {% for column in missing %}
        {% for name in unused if modules.re.sub('[^a-z0-9]', '', name) == modules.re.sub('[^a-z0-9]', '', column) %}
            {% do renames.append(shown_names([name]) ~ ' to ' ~ column) %}
        {% endfor %}
    {% endfor %}
    {% if not renames and missing | length == 1 and unused | length == 1 %}
        {% do renames.append(shown_names(unused) ~ ' to ' ~ missing[0] ~ ', if that is what it holds,') %}
    {% endif %}
    {% do return('rename ' ~ (renames | join(', ')) if renames else
        'add or rename ' ~ ('them' if missing | length > 1 else 'it') ~ ', or name the right table') %}
{% endmacro %}

{# Names from a file as people read them: one line, each cut to a sensible length. #}
{% macro shown_names(names) %}
    {% set shown = [] %}
    {% for name in names[:20] %}
        {% do shown.append("'" ~ (modules.re.sub('\\s+', ' ', name) | truncate(60, true)) ~ "'") %}
    {% endfor %}
    {% do return((shown | join(', ')) ~ (' and ' ~ (names | length - 20) ~ ' more' if names | length > 20 else '')) %}
{% endmacro %}
