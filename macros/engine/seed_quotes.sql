{#
  Loads a seed's file, with the quote that dbt's own reading of it takes for granted. Left to guess, DuckDB
  takes an apostrophe at the start of a value for the quote, and hundreds of rows for one value
  (https://duckdb.org/docs/stable/data/csv/auto_detection#dialect-detection). Overrides dbt-duckdb's macro of the
  same name.
#}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {% set sql %}
        copy {{ this.render() }} from '{{ adapter.get_seed_file_path(model) | replace("'", "''") }}'
        (format csv, header true, delimiter '{{ config.get("delimiter", ",") }}', quote '"', escape '"')
    {% endset %}
    {% do adapter.add_query(sql, abridge_sql_log=True) %}
    {{ return(sql) }}
{% endmacro %}
