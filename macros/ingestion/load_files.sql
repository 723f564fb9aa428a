{#
  Loads CSV (also .csv.gz) and Parquet files into the raw tables of models/staging/_sources.yml:

    dbt run-operation load_files --args '{path: data/orders.csv}'
    dbt run-operation load_files --args '{path: exports, table: sessions}'

  path: a file, or a folder whose CSV and Parquet files are loaded (its subfolders are not). A
  relative path starts where dbt runs.
  table: the raw table. Left out, each file decides: by its columns where an importer knows them
  (macros/ingestion/importers.sql), else by its name (orders.csv, sample_orders.parquet).

  One call is one transaction: a file that can not be loaded stops it, and as nothing commits it,
  nothing of it stays. A row that does not fit the contract goes to load_rejects with line and reason,
  the others are loaded; load_manifest holds the counts. A file that load_manifest knows by its
  content is not loaded again.
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
    {% if table is none or not is_loaded(facts.content_hash, table) %}
        {% set columns = read_file_rows(file, facts.format) %}
        {% do check_file_columns(file, columns) %}
        {% set importer = importer_of(columns, table) %}
        {% set table = table or importer.table or table_of_file_name(file) %}
    {% endif %}
    {% if is_loaded(facts.content_hash, table) %}
        {{ log('Already loaded ' ~ name ~ ' into ' ~ table ~ ', nothing to do', info=true) }}
    {% else %}
        {% set mapping = importer_mapping(importer, columns) if importer.name
            else contract_mapping(file, table, columns) %}
        {% do create_raw_table(table) %}
        {% do type_loading_rows(table, mapping) %}
        {% set counts = count_loading_rows() %}
        {% if counts.rows_in_file > 0 and counts.rows_loaded == 0 %}
            {% do stop(
                'None of the ' ~ thousands(counts.rows_in_file) ~ ' rows of ' ~ file ~ ' fits ' ~ table
                ~ ', so nothing was loaded; the first reason, on line ' ~ counts.first_line ~ ', is '
                ~ counts.first_reason ~ '. Correct the file, or name the table that it belongs to.'
            ) %}
        {% endif %}
        {% do store_loading_rows(file, table, facts.content_hash, counts) %}
        {{ log(
            'Loaded ' ~ thousands(counts.rows_loaded) ~ (' row' if counts.rows_loaded == 1 else ' rows')
            ~ ' of ' ~ table ~ ' from ' ~ name ~ ', ' ~ thousands(counts.rows_rejected) ~ ' rejected'
            ~ (
                ': see ' ~ setting_value('raw_schema') ~ ".load_rejects where content_hash = '"
                ~ facts.content_hash ~ "'" if counts.rows_rejected else ''
            ), info=true
        ) }}
    {% endif %}
{% endmacro %}

{# A number as people read it: 12,330. #}
{% macro thousands(number) %}
    {% do return('{:,}'.format(number)) %}
{% endmacro %}
