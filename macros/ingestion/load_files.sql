{#
  Loads CSV (also .csv.gz) and Parquet files into the raw tables of models/staging/_sources.yml:

    dbt run-operation load_files --args '{path: data/orders.csv}'
    dbt run-operation load_files --args '{path: exports, table: sessions}'

  path: a file, or a folder whose CSV and Parquet files are loaded (its subfolders are not). A
  relative path starts where dbt runs.
  table: the raw table. Left out, each file decides: by its columns where an importer knows them
  (macros/ingestion/importers.sql), else by its name (orders.csv, sample_orders.parquet). A file that
  fills several tables fills them together: for it, it must be left out.

  One call is one transaction: a file that can not be loaded stops it, and as nothing commits it,
  nothing of it stays. A row that does not fit the contract goes to load_rejects with line and reason,
  the others are loaded; load_manifest holds the counts, one row for each table that the file fills.
  A file that load_manifest knows by its content is not loaded again. Rows of a customer who was erased are
  rejected, where ERASURE_KEY tells who that was (macros/erasure).
#}
{% macro load_files(path=none, table=none) %}
    {% if execute %}
        {% do check_settings() %}
        {% set table = check_load_table(table) %}
        {% set files = files_to_load(check_load_path(path)) %}
        {% do begin_load() %}
        {% do create_load_tables() %}
        {% for file in files %}
            {% do load_file(file, table) %}
        {% endfor %}
        {% do commit_load() %}
    {% endif %}
{% endmacro %}

{# Loads one file and says so. `table` none: the file decides. #}
{% macro load_file(file, table) %}
    {% set name = file_name(file) %}
    {% set facts = checked_file_facts(file) %}
    {% set tables = [table] %}
    {% if table is none or not is_loaded(facts.content_hash, table) %}
        {% set columns = read_file_rows(file, facts.format) %}
        {% do check_file_columns(file, columns) %}
        {% set importer = importer_of(columns, table) %}
        {% set tables = importer.tables or [table or table_of_file_name(file)] %}
    {% endif %}
    {% if table is not none and tables | length > 1 %}
        {% do stop(
            'The file ' ~ file ~ ' is known by its columns and fills ' ~ (tables | join(', ')) ~ ' together; leave '
            ~ 'out `table`.'
        ) %}
    {% endif %}
    {% set new_tables = [] %}
    {% for candidate in tables if not is_loaded(facts.content_hash, candidate) %}
        {% do new_tables.append(candidate) %}
    {% endfor %}
    {% if not new_tables %}
        {{ log('Already loaded ' ~ name ~ ' into ' ~ (tables | join(', ')) ~ ', nothing to do', info=true) }}
    {% else %}
        {% set mapping = importer_mapping(importer, columns) if importer.name
            else contract_mapping(file, tables[0], columns) %}
        {% for new_table in new_tables %}{% do create_raw_table(new_table) %}{% endfor %}
        {% do type_loading_rows(tables[0], mapping) %}
        {% do refuse_erased_rows(mapping.types or contract_columns(tables[0])) %}
        {% set counts = count_loading_rows() %}
        {% if counts.rows_in_file > 0 and counts.rows_loaded == 0 %}
            {% do stop(
                'None of the ' ~ thousands(counts.rows_in_file) ~ ' rows of ' ~ file ~ ' fits ' ~ tables[0]
                ~ ', so nothing was loaded; the first reason, on line ' ~ counts.first_line ~ ', is '
                ~ counts.first_reason ~ '. Correct the file'
                ~ ('' if tables | length > 1 else ', or name the table that it belongs to') ~ '.'
            ) %}
        {% endif %}
        {% for new_table in new_tables %}
            {% set made_of = mapping.tables[new_table] if mapping.tables
                else 'select * from loading_typed where load_reason is null' %}
            {% if new_table == tables[0] %}
                {% do store_loading_rows(file, new_table, facts.content_hash, made_of, counts) %}
                {% do store_loading_rejects(file, new_table, facts.content_hash) %}
                {{ log(
                    'Loaded ' ~ counted_rows(counts.rows_loaded) ~ ' of ' ~ new_table ~ ' from ' ~ name ~ ', '
                    ~ thousands(counts.rows_rejected) ~ ' rejected'
                    ~ (
                        ': see ' ~ setting_value('raw_schema') ~ ".load_rejects where content_hash = '"
                        ~ facts.content_hash ~ "'" if counts.rows_rejected else ''
                    ), info=true
                ) }}
            {% else %}
                {% set made = count_made_rows(made_of) %}
                {% do store_loading_rows(file, new_table, facts.content_hash, made_of, made) %}
                {{ log(
                    'Loaded ' ~ counted_rows(made.rows_loaded) ~ ' of ' ~ new_table ~ ', made of those of ' ~ tables[0],
                    info=true
                ) }}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{# A number of rows as people read it: 1 row, 12,330 rows. #}
{% macro counted_rows(number) %}
    {% do return(thousands(number) ~ (' row' if number == 1 else ' rows')) %}
{% endmacro %}

{# A number as people read it: 12,330. #}
{% macro thousands(number) %}
    {% do return('{:,}'.format(number)) %}
{% endmacro %}
