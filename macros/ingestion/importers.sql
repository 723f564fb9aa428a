{#
  Public data sets whose files are recognised by their columns. An importer is a row here and a macro
  `import_<name>(fields)`; `fields` maps each column of the file, in lower case, to SQL for its text.
  The macro returns {columns: {contract column: SQL text}, problem: SQL text}: the texts are cast and
  checked like any file's, and where `problem` is not null the row is rejected for it.

  signature: the columns that a file must have, in lower case;  table: where its rows go.
#}
{% macro importers() %}
    {% do return([
        {
            'name': 'online_shoppers',
            'table': 'sessions',
            'signature': online_shoppers_columns(),
            'import': import_online_shoppers,
        },
    ]) %}
{% endmacro %}

{# The importer for a file with these columns, if it fills this table (none: any); else an empty one. #}
{% macro importer_of(columns, table) %}
    {% for importer in importers() if table is none or importer.table == table %}
        {% if not importer.signature | reject('in', columns) | list %}
            {% do return(importer) %}
        {% endif %}
    {% endfor %}
    {% do return({'name': none, 'table': none}) %}
{% endmacro %}

{# What an importer makes of a file with these columns. #}
{% macro importer_mapping(importer, columns) %}
    {% set fields = {} %}
    {% for column in columns %}
        {% do fields.update({column: file_field(loop.index0)}) %}
    {% endfor %}
    {% do return(importer.import(fields)) %}
{% endmacro %}
