{# A table in the raw schema. #}
{% macro raw_relation(name) %}
    {% do return(api.Relation.create(
        database=target.database, schema=setting_value('raw_schema'), identifier=name
    )) %}
{% endmacro %}

{#
  Creates the raw schema, load_manifest (grain: one load of one file into one table) and
  load_rejects (grain: one rejected row).
#}
{% macro create_load_tables() %}
    {% set string_type = api.Column.translate_type('string') %}
    {% do run_query('create schema if not exists ' ~ raw_relation('load_manifest').without_identifier()) %}
    {% do run_query(
        'create table if not exists ' ~ raw_relation('load_manifest') ~ ' (file ' ~ string_type ~ ', table_name '
        ~ string_type ~ ', content_hash ' ~ string_type
        ~ ', rows_in_file bigint, rows_loaded bigint, rows_rejected bigint, loaded_at timestamp)'
    ) %}
    {% do run_query(
        'create table if not exists ' ~ raw_relation('load_rejects') ~ ' (file ' ~ string_type ~ ', table_name '
        ~ string_type ~ ', line bigint, reason ' ~ string_type ~ ', record ' ~ string_type ~ ', content_hash '
        ~ string_type ~ ', loaded_at timestamp)'
    ) %}
{% endmacro %}

{# Creates a raw table as the contract states it; stops where an older one lacks a column. #}
{% macro create_raw_table(table) %}
    {% set definitions = [] %}
    {% for column in contract_columns(table) %}
        {% do definitions.append(column.name ~ ' ' ~ column.data_type) %}
    {% endfor %}
    {% do run_query(
        'create table if not exists ' ~ raw_relation(table) ~ ' (' ~ (definitions | join(', ')) ~ ')'
    ) %}
    {% set present = run_query('select * from ' ~ raw_relation(table) ~ ' where false').column_names
        | map('lower') | list %}
    {% set missing = contract_columns(table) | map(attribute='name') | reject('in', present) | list %}
    {% if missing %}
        {% do stop(
            'Table ' ~ setting_value('raw_schema') ~ '.' ~ table ~ ' lacks the column'
            ~ ('s ' if missing | length > 1 else ' ') ~ (missing | join(', '))
            ~ '; add or rename it (models/staging/_sources.yml describes each column).'
        ) %}
    {% endif %}
{% endmacro %}

{#
  Whether a file of this content was loaded into this table. A table that was dropped since is
  loaded again.
#}
{% macro is_loaded(content_hash, table) %}
    {% set sql %}
        select count(*)
        from {{ raw_relation('load_manifest') }}
        where
            content_hash = '{{ content_hash }}'
            and table_name = '{{ table }}'
            and exists (
                select 1 from information_schema.tables
                where
                    lower(table_catalog) = lower('{{ target.database }}')
                    and lower(table_schema) = lower('{{ setting_value("raw_schema") }}')
                    and lower(table_name) = '{{ table }}'
            )
    {% endset %}
    {% do return(run_query(sql).rows[0][0] | int > 0) %}
{% endmacro %}

{# SQL: when this load was started. #}
{% macro load_started_at() %}
    {% set started_at = run_started_at.astimezone(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S.%f') %}
    {% do return("cast('" ~ started_at ~ "' as timestamp)") %}
{% endmacro %}

{#
  Stores rows in a raw table, and their counts in load_manifest. `made_of`: SQL for the rows, and of
  each the `file_row_number` to store it by.
#}
{% macro store_loading_rows(file, table, content_hash, made_of, counts) %}
    {% set names = contract_columns(table) | map(attribute='name') | reject('equalto', 'loaded_at') | list %}
    {% do try_or_compiler_error(
        'The rows of ' ~ file ~ ' do not go into ' ~ setting_value('raw_schema') ~ '.' ~ table
        ~ ': the table has other types or constraints than models/staging/_sources.yml states; drop or alter it.',
        run_query,
        'insert into ' ~ raw_relation(table) ~ ' (' ~ (names | join(', ')) ~ ', loaded_at) select '
        ~ (names | join(', ')) ~ ', ' ~ load_started_at() ~ ' from (' ~ made_of ~ ') as made order by file_row_number'
    ) %}
    {% do run_query(
        'insert into ' ~ raw_relation('load_manifest')
        ~ ' (file, table_name, content_hash, rows_in_file, rows_loaded, rows_rejected, loaded_at) values ('
        ~ text_literal(file) ~ ", '" ~ table ~ "', '" ~ content_hash ~ "', " ~ counts.rows_in_file ~ ', '
        ~ counts.rows_loaded ~ ', ' ~ counts.rows_rejected ~ ', ' ~ load_started_at() ~ ')'
    ) %}
{% endmacro %}

{# Stores the rows of `loading_typed` that do not fit in load_rejects. #}
{% macro store_loading_rejects(file, table, content_hash) %}
    {% do run_query(
        'insert into ' ~ raw_relation('load_rejects')
        ~ ' (file, table_name, line, reason, record, content_hash, loaded_at) select '
        ~ text_literal(file) ~ ", '" ~ table ~ "', file_line, load_reason, file_record, '" ~ content_hash ~ "', "
        ~ load_started_at() ~ ' from loading_typed where load_reason is not null order by file_row_number'
    ) %}
{% endmacro %}
